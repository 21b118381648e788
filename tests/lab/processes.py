"""Processes that outlive whoever started them."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from .errors import LabError
from .state import Process


def start_process(command: list[str], log: Path, *, keep: int | None = None) -> Process:
    """Start a process in a session of its own that writes to `log`; `keep` is a descriptor it shall hold open."""
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        raise LabError(f"{command[0]} is not installed; run `python -m lab install`")
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # not Popen, which expects to see the end of what it starts
    if keep is None:
        return Process.of(os.posix_spawn(program, command, os.environ, file_actions=actions, setsid=True))
    copy = fcntl.fcntl(keep, fcntl.F_DUPFD, 100)  # inheritable, unlike every descriptor that Python makes
    try:
        return Process.of(os.posix_spawn(program, command, os.environ, file_actions=actions, setsid=True))
    finally:
        os.close(copy)


def end_process(process: Process, *, patience: float = 3) -> None:
    """End a process that may or may not be a child of ours: asked first, forced after `patience` seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.alive():
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        deadline = time.monotonic() + patience
        while process.alive() and time.monotonic() < deadline:
            time.sleep(0.02)
    forget_process(process)


def forget_process(process: Process) -> None:
    """Let an ended child go; nothing happens when it is somebody else's."""
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
