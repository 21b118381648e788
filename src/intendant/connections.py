"""Warm connections to hosts: the connector process, started when it is first needed and ended with its owner."""

import base64
import io
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any, Literal

from intendant.config import Config
from intendant.errors import EngineError
from intendant.runner.environment import ansible_environment
from intendant.sources import sign_files

ErrorKind = Literal["unreachable", "become", "timeout", "other"]
#: what a host may take beyond the time of its script before it is given up.
GRACE_SECONDS = 10
#: what the connector may take beyond that to say so; then it counts as dead.
_CONNECTOR_SECONDS = 15
_START_SECONDS = 60
_END_SECONDS = 2
#: the connector says every second that it is alive.
_SILENT_SECONDS = 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What came back of one script on one host: both outputs as bytes, or an error in ``message``.

    ``duration`` is in seconds and includes a login where there was none yet. ``texts`` are those that were masked.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    duration: float = 0.0
    error: ErrorKind | None = None
    message: str = ""
    texts: tuple[tuple[str, ...], ...] = ()


class Connections:
    """Runs scripts (POSIX shell) on hosts of the project over Ansible's connection plugins."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._signature: Hashable | None = None

    def run(self, scripts: Mapping[str, str], *, become: bool, seconds: float) -> dict[str, Answer]:
        """See ``Session.run``; with a session of its own.

        Raises:
            EngineError: Ansible cannot be started, or cannot read the inventory.
        """
        with self.session() as session:
            return session.run(scripts, become=become, seconds=seconds)

    @contextmanager
    def session(self) -> "Iterator[Session]":
        """The same connector for calls that belong together, even where the inventory changes meanwhile.

        Raises:
            EngineError: Ansible cannot be started.
        """
        ticket = secrets.token_hex(8)
        with self._lock:
            process = self._renew()
            process.hold(ticket)
        try:
            yield Session(self._config.forks, process)
        finally:
            process.release(ticket)

    def close(self) -> None:
        """End the connector, and with it what is running."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def _renew(self) -> "_Process":
        """The connector, anew where the inventory may have changed since it was started. To be called with the lock."""
        signature = sign_files(self._config)
        process = self._process
        if process is None or not process.alive or signature is None or signature != self._signature:
            if process is not None:
                process.retire()
            self._process, self._signature = _Process(self._config), signature
        assert self._process is not None
        return self._process


class Session:
    """One connector, for a while."""

    def __init__(self, forks: int, process: "_Process") -> None:
        self._forks = forks
        self._process = process

    def run(self, scripts: Mapping[str, str], *, become: bool, seconds: float, raw: bool = False) -> dict[str, Answer]:
        """Run each host's script, all at once up to the project's ``forks``; ``seconds`` is what a script may take.

        Returns one answer for each host after a bounded time, whatever happens to hosts. Secrets that the project's
        variables hold are masked in it; with ``raw`` nothing is, and what is to be shown goes through ``mask``.

        Raises:
            EngineError: Ansible cannot read the inventory.
        """
        rounds = -(-len(scripts) // self._forks)
        taken = rounds * (seconds + GRACE_SECONDS) + _CONNECTOR_SECONDS + self._process.starting
        asked = {"become": become, "seconds": seconds + GRACE_SECONDS, "raw": raw}
        return self._process.ask(
            {host: {"host": host, "script": script, **asked} for host, script in scripts.items()},
            time.monotonic() + taken,
        )

    def mask(self, host: str, texts: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Texts in pieces that come from a host, without secrets; one across a border goes from both pieces.

        Raises:
            EngineError: the texts could not be masked.
        """
        asked = {"host": host, "texts": [list(pieces) for pieces in texts]}
        answer = self._process.ask({host: asked}, time.monotonic() + _CONNECTOR_SECONDS + self._process.starting)[host]
        if answer.error or len(answer.texts) != len(texts):
            raise EngineError(f"What {host} sent could not be masked, so it is not shown: {answer.message}")
        return list(answer.texts)


class _Process:
    """One connector, and the requests that it has not answered yet."""

    def __init__(self, config: Config) -> None:
        command = [sys.executable, "-P", "-m", "intendant.ansible.connector"]
        if config.ansible_cfg is None:
            command += ["--inventory", str(config.project_dir / "inventory")]
        environment = ansible_environment(config)
        environment["ANSIBLE_FORKS"] = str(config.forks)
        # A session of its own: nobody is asked for passwords on the terminal, and an interrupt there is not for it.
        self._popen = subprocess.Popen(
            command,
            cwd=config.project_dir,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._ready = threading.Event()
        self._changed = threading.Condition()
        self._waiting: set[str] = set()
        self._answers: dict[str, Answer] = {}
        self._retired = False
        self._said: list[str] = []
        self._heard = float("-inf")
        # Written by a thread: one that hangs before it reads must not keep us beyond our time.
        self._outgoing: SimpleQueue[bytes] = SimpleQueue()
        self.end = weakref.finalize(self, _end, self._popen, self._outgoing)
        watched = weakref.ref(self)
        # They hold no reference to this object, so that it ends when its owner has gone.
        self._threads = [
            threading.Thread(target=_read_answers, args=(watched, self._popen.stdout), daemon=True),
            threading.Thread(target=_read_log, args=(self._said, self._popen.stderr), daemon=True),
            threading.Thread(target=_write, args=(self._outgoing, self._popen.stdin), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """It can be asked."""
        return not self._has_ended

    @property
    def _has_ended(self) -> bool:
        # `poll` says that it runs while another thread waits for its end.
        try:
            ended = os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return self._popen.returncode is not None or ended is not None

    @property
    def _is_well(self) -> bool:
        return not self._has_ended and time.monotonic() - self._heard < _SILENT_SECONDS

    @property
    def starting(self) -> float:
        """Seconds that it may still take before it reads its first request."""
        return 0 if self._ready.is_set() else _START_SECONDS

    def ask(self, requests: Mapping[str, dict[str, Any]], deadline: float) -> dict[str, Answer]:
        """The answer for each name."""
        tickets = {secrets.token_hex(8): name for name in requests}
        with self._changed:
            self._waiting |= tickets.keys()
            for ticket, name in tickets.items():
                self._outgoing.put(json.dumps({"id": ticket, **requests[name]}).encode() + b"\n")
            while not tickets.keys() <= self._answers.keys() and not self._has_ended:
                if not self._changed.wait(min(1.0, max(0.0, deadline - time.monotonic()))) and (
                    time.monotonic() >= deadline
                ):
                    break
            late = tickets.keys() - self._answers.keys()
            answers = {name: self._answers.pop(ticket) for ticket, name in tickets.items() if ticket not in late}
            self._waiting -= tickets.keys()
            idle = self._retired and not self._waiting
        has_ended = self._has_ended
        if late and not self._is_well:
            self.end()  # it is of no use to anybody any more
            self._explain_death(answers)
        elif late:
            # Others keep it busy: what has not begun shall not begin any more.
            for ticket in late:
                self._outgoing.put(json.dumps({"cancel": ticket}).encode() + b"\n")
        elif idle:
            self.end()
        missing = Answer(error="timeout", message="no answer in time")
        if has_ended:
            missing = Answer(error="other", message="the process that holds the connections ended: ask again")
        return {name: answers.get(name, missing) for name in requests}

    def hold(self, ticket: str) -> None:
        """Do not end, though retired, before this ticket is released."""
        with self._changed:
            self._waiting.add(ticket)

    def release(self, ticket: str) -> None:
        """See ``hold``."""
        with self._changed:
            self._waiting.discard(ticket)
            idle = self._retired and not self._waiting
        if idle:
            self.end()

    def retire(self) -> None:
        """End as soon as everything is answered and nobody holds it."""
        with self._changed:
            self._retired = True
            idle = not self._waiting
        if idle:
            self.end()

    def receive(self, line: bytes) -> None:
        """One line of the connector's."""
        said = json.loads(line)
        self._ready.set()
        self._heard = time.monotonic()
        if said["id"] is None:
            return
        if "error" in said:
            answer = Answer(error=said["error"], message=said["message"], duration=said["duration"])
        elif "texts" in said:
            answer = Answer(texts=tuple(map(tuple, said["texts"])))
        else:
            stdout, stderr = (base64.b64decode(said[name]) for name in ("stdout", "stderr"))
            answer = Answer(stdout, stderr, said["duration"])
        with self._changed:
            if said["id"] in self._waiting:
                self._answers[said["id"]] = answer
            self._changed.notify_all()

    def wake(self) -> None:
        """Have those who wait see that nothing more comes."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(_END_SECONDS)
        with self._changed:
            self._changed.notify_all()

    def _explain_death(self, answers: Mapping[str, Answer]) -> None:
        self._threads[1].join(_END_SECONDS)
        words = "".join(self._said).strip()[-1500:]
        _log.warning("the connector ended unasked: %s", words)
        if not answers and not self._ready.is_set():
            raise EngineError(f"Ansible could not be started for commands: {words or 'it said nothing'}")


def _write(outgoing: SimpleQueue[bytes], stream: IO[bytes]) -> None:
    while line := outgoing.get():
        try:
            while line:
                line = line[stream.write(line) :]
        except (OSError, ValueError):  # it has ended
            return


def _read_answers(owner: "Callable[[], _Process | None]", stream: IO[bytes]) -> None:
    # The pipe itself would be read byte by byte in search of a line's end.
    with stream, io.BufferedReader(stream) as lines:  # type: ignore[type-var]  # a FileIO, as bufsize is 0
        for line in lines:
            if (process := owner()) is None:
                return
            process.receive(line)
            del process
    if (process := owner()) is not None:
        process.wake()


def _read_log(said: list[str], stream: IO[bytes]) -> None:
    with stream:
        for line in stream:
            said.append(line.decode(errors="replace"))
            _log.debug("connector: %s", said[-1].rstrip())
            del said[:-50]


def _end(process: subprocess.Popen[bytes], outgoing: SimpleQueue[bytes]) -> None:
    """End a connector: it leaves when its input ends, and is killed when it does not."""
    outgoing.put(b"")
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        # With what it has started, such as a program that gives the vault's password: they are one group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
