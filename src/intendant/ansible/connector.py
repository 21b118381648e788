"""Warm connections: Ansible's own connection plugins in a process that stays, driven by lines of JSON.

`python -P -m intendant.ansible.connector [--inventory SOURCE]`, the working folder being the project. Ansible resolves
what it always does: variables, vault, ~/.ssh/config, jump hosts, passwords, become. One request, one answer, any order:

    {"id": 7, "host": "web1", "script": "uname -r", "become": false, "seconds": 40.0}
    {"id": 7, "code": 0, "stdout": BASE64, "stderr": BASE64, "duration": 0.012}
    {"id": 7, "error": "unreachable" | "become" | "timeout" | "other", "message": "…", "duration": 10.0}

    {"id": 8, "host": "web1", "texts": [["before", "page", "after"], ["one piece"]]}
    {"id": 8, "texts": …, "duration": 0.001}    the same, masked

    {"cancel": 7}
    {"id": null}        every second while something runs: it is alive

``script`` is POSIX shell; it arrives on the standard input of a shell on the host, or where become needs a terminal as
an argument. ``seconds`` is when the host is given up. Vaulted values are masked before anything leaves this process,
except for requests with ``"raw": true``: whoever shows such an output sends it back in pieces to have it masked. The
process ends when its input does.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import threading
import time
from typing import Any

from intendant.ansible.warm_hosts import Project, run_script  # isort: skip (Ansible's order of imports)
from ansible import constants as C  # noqa: N812 (as everybody calls it)
from ansible.errors import AnsibleConnectionFailure

_WATCH_SECONDS = 0.2
_BEAT_SECONDS = 1
_RESET_SECONDS = 5


class Request:
    """One script on one host, in a thread of its own that may be left behind."""

    def __init__(self, connector: Connector, asked: dict[str, Any]) -> None:
        self._connector = connector
        self._asked = asked
        self._connection: Any = None
        self._answered = False
        self._lock = threading.Lock()
        self.number = asked["id"]
        self.mark = secrets.token_hex(8)
        self.started = 0.0

    @property
    def overdue(self) -> bool:
        """It has begun and should have ended by now."""
        return bool(self.started) and time.monotonic() > self.started + self._asked["seconds"]

    def run(self) -> None:
        """Do it and answer, whatever happens."""
        self._connector.slots.acquire()
        with self._lock:
            if self._answered:  # nobody waited for its turn
                self._connector.slots.release()
                return
            self.started = time.monotonic()
        host, become = self._asked["host"], self._asked["become"]
        project = self._connector.project
        try:
            self._connection = project.take(host, become)
            code, stdout, stderr = run_script(self._connection, self._asked["script"], self.mark)
            if code == 255 and self._connection.transport == "ssh":
                raise AnsibleConnectionFailure(stderr.decode(errors="replace"))
        except Exception as error:
            self.answer(error=_kind_of(error, become), message=str(error))
            return
        if self.answer(code=code, stdout=self._mask(stdout), stderr=self._mask(stderr)):
            project.give_back(host, become, self._connection)

    def give_up(self) -> None:
        """End what was started for the host, do not use that connection again, and answer that it does not."""
        if not self._claim():
            return
        _kill_marked(self.mark)
        self._connector.project.forget(self._asked["host"])
        # The shared ssh connection that hangs would be the next command's, too: it goes before there can be one.
        if hasattr(self._connection, "reset"):
            thread = threading.Thread(target=self._reset, daemon=True)
            thread.start()
            thread.join(_RESET_SECONDS)
        self._say(error="timeout", message="no answer")

    def _reset(self) -> None:
        try:
            self._connection.reset()
        except Exception as error:
            sys.stderr.write(f"connection to {self._asked['host']} was not reset: {error}\n")

    def answer(self, **values: Any) -> bool:
        """Answer once and free the slot; False when that was done before."""
        if not self._claim():
            return False
        self._say(**values)
        return True

    def _claim(self) -> bool:
        with self._lock:
            claimed = not self._answered
            self._answered = True
            return claimed

    def _say(self, **values: Any) -> None:
        if "message" in values:
            values["message"] = self._connector.project.redactor.redact(values["message"])
        duration = round(time.monotonic() - self.started, 4) if self.started else 0.0
        self._connector.write({"id": self.number, "duration": duration, **values})
        self._connector.finish(self)

    def _mask(self, output: bytes) -> str:
        if self._asked.get("raw"):
            return base64.b64encode(output).decode()
        text = output.decode("utf-8", "surrogateescape")
        masked = self._connector.project.redactor.redact(text) if text else text
        return base64.b64encode(masked.encode("utf-8", "surrogateescape")).decode()


class Connector:
    """Reads requests, writes answers.

    Args:
        output: descriptor of the real standard output.
    """

    def __init__(self, project: Project, output: int) -> None:
        self.project = project
        self.slots = threading.Semaphore(C.DEFAULT_FORKS)
        self._output = os.fdopen(output, "w", encoding="ascii")
        self._lock = threading.Lock()
        self._running: set[Request] = set()

    def serve(self, requests: Any) -> None:
        """Until the requests end; then end what is still running, too."""
        threading.Thread(target=self._watch, daemon=True).start()
        for line in requests:
            asked = json.loads(line)
            if "texts" in asked:
                threading.Thread(target=self._mask, args=(asked,), daemon=True).start()
                continue
            if "cancel" in asked:
                self._give_up([request for request in self._snapshot() if request.number == asked["cancel"]])
                continue
            request = Request(self, asked)
            with self._lock:
                self._running.add(request)
            threading.Thread(target=request.run, daemon=True).start()
        for request in self._snapshot():
            _kill_marked(request.mark)
        os._exit(0)

    def _mask(self, asked: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": asked["id"], "duration": 0.0}
        try:
            answer["texts"] = self.project.mask(asked["host"], asked["texts"])
        except Exception as error:
            answer |= {"error": "other", "message": self.project.redactor.redact(str(error))}
        self.write(answer)

    def write(self, answer: dict[str, Any]) -> None:
        """One line; nobody who listens is no reason to fail."""
        try:
            with self._lock:
                self._output.write(json.dumps(answer) + "\n")
                self._output.flush()
        except OSError:
            os._exit(0)

    def finish(self, request: Request) -> None:
        """The request needs its slot no more, if it ever had one."""
        with self._lock:
            self._running.discard(request)
        if request.started:
            self.slots.release()

    def _snapshot(self) -> list[Request]:
        with self._lock:
            return list(self._running)

    def _watch(self) -> None:
        beat = 0.0
        while True:
            time.sleep(_WATCH_SECONDS)
            running = self._snapshot()
            self._give_up([request for request in running if request.overdue])
            if running and time.monotonic() > beat:
                beat = time.monotonic() + _BEAT_SECONDS
                self.write({"id": None})

    @staticmethod
    def _give_up(requests: list[Request]) -> None:
        for request in requests:
            threading.Thread(target=request.give_up, daemon=True).start()


def _kind_of(error: Exception, become: bool) -> str:
    text = str(error).lower()
    if become and ("password" in text or "escalation" in text or "become" in text) and "permission denied" not in text:
        return "become"
    return "unreachable" if isinstance(error, AnsibleConnectionFailure) else "other"


def _kill_marked(mark: str) -> None:
    """End the local processes that were started for one request, and theirs."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            if any(mark in argument for argument in child.cmdline()):
                for process in (*child.children(recursive=True), child):
                    process.kill()
        except psutil.Error:
            continue


def main() -> None:
    """Keep the protocol's descriptors away from Ansible and from what it starts, then serve."""
    source = sys.argv[2] if sys.argv[1:2] == ["--inventory"] else None
    requests, output = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    Connector(Project(source), output).serve(os.fdopen(requests, encoding="utf-8"))


if __name__ == "__main__":
    main()
