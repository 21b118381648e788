"""Programs that are run for a bounded time, with a bounded output, and that can ask nobody."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

MOST_BYTES = 256 * 1024


def plain_environment() -> dict[str, str]:
    """English messages, and no window that could ask somebody."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "LANGUAGE", "SSH_ASKPASS")}
    return {**kept, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}


def run_bounded(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    given: str,
    seconds: float,
    most_bytes: int = MOST_BYTES,
) -> tuple[int | None, str, str]:
    """Run a program in ``folder`` with ``given`` as its input, for ``seconds`` at most.

    Returns:
        The exit code (None: it was ended, with all that it started), and the first ``most_bytes`` of stdout and stderr.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # without a terminal nobody can be asked
        )
    except OSError as error:
        return 255, "", f"{command[0]} cannot be started: {error.strerror}"
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    outputs: list[bytes] = [b"", b""]
    streams = (process.stdout, process.stderr)
    readers = [
        threading.Thread(target=_collect, args=(stream, outputs, number, most_bytes), daemon=True)
        for number, stream in enumerate(streams)
    ]
    for reader in readers:
        reader.start()
    with suppress(BrokenPipeError):
        process.stdin.write(given.encode())
        process.stdin.close()
    deadline = time.monotonic() + seconds
    # With a time limit of its own, Popen.wait looks only every 50 ms.
    waiter = threading.Thread(target=process.wait, daemon=True)
    waiter.start()
    waiter.join(seconds)
    exit_code = None if waiter.is_alive() else process.returncode
    if exit_code is not None:
        for reader in readers:
            reader.join(max(deadline - time.monotonic(), 0.1))
    if exit_code is None or any(reader.is_alive() for reader in readers):  # a proxy command may have stayed behind
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        waiter.join()
    for reader, stream in zip(readers, streams, strict=True):
        reader.join(1)
        if not reader.is_alive():
            stream.close()
    stdout, stderr = (output.decode("utf-8", "replace") for output in outputs)
    return exit_code, stdout, stderr


def _collect(stream: IO[bytes], outputs: list[bytes], number: int, most: int) -> None:
    """Read to the end, keep the first part: what floods us must neither fill the memory nor block."""
    while chunk := stream.read1(65536):  # type: ignore[attr-defined]  # a pipe's reader is buffered
        if len(outputs[number]) < most:
            outputs[number] += chunk
