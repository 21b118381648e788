"""Looking for secrets where they must not be: in processes and files, while something runs and afterwards."""

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from lab.hosts import LabHost

_PAUSE_SECONDS = 0.02


def written_forms(secret: str) -> list[bytes]:
    """A secret as it may be written: as it is, in JSON (once and twice), in base64, in an address."""
    once = json.dumps(secret)[1:-1]
    forms = {secret, once, json.dumps(once)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret)}
    forms.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    return [form.encode() for form in forms]


def find_in_files(folders: Iterable[Path], secrets: Iterable[str]) -> list[str]:
    """Every file of the folders that holds one of the secrets, in whatever form."""
    forms = [form for secret in secrets for form in written_forms(secret)]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in paths if any(form in path.read_bytes() for form in forms)]


class Watcher:
    """Samples this machine's processes (arguments, environment) and the files of some folders about every 20 ms.

    ``folders`` may hold wildcards in their last part and need not exist yet. What was found is in ``hits``.
    """

    def __init__(self, secrets: Sequence[str], folders: Sequence[Path]) -> None:
        self.hits: set[str] = set()
        self.rounds = 0
        self.files = 0
        self._forms = [form for secret in secrets for form in written_forms(secret)]
        self._folders = folders
        self._known: dict[str, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._look_at_processes()
            self._look_at_files()
            self.rounds += 1
            self._stop.wait(_PAUSE_SECONDS)

    def _look_at_processes(self) -> None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("cmdline", "environ"):
                self._look_at(f"/proc/{pid}/{name}")

    def _look_at_files(self) -> None:
        for folder in self._folders:
            for top in folder.parent.glob(folder.name):
                for base, _, names in os.walk(top):
                    for path in (os.path.join(base, name) for name in names):
                        try:
                            status = os.stat(path)
                        except OSError:
                            continue
                        if self._known.get(path) != (seen := (status.st_mtime_ns, status.st_size)):
                            self._known[path] = seen
                            self.files += 1
                            self._look_at(path)

    def _look_at(self, path: str) -> None:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:  # gone in the meantime, or a process of the kernel's
            return
        for form in self._forms:
            if (at := data.find(form)) >= 0:
                self.hits.add(f"{path}: {data[max(0, at - 300) : at + 100]!r}")
                return


_HOST_SCRIPT = r"""
import json, os, select, sys
forms, hits, rounds = [bytes.fromhex(form) for form in json.loads(sys.stdin.readline())], set(), 0
print("watching", flush=True)
while not select.select([sys.stdin], [], [], 0.02)[0]:
    rounds += 1
    paths = [f"/proc/{pid}/{name}" for pid in os.listdir("/proc") if pid.isdigit() for name in ("cmdline", "environ")]
    for top in ("/tmp", "/var/tmp", "/dev/shm", "/root/.ansible", "/home/admin/.ansible"):
        paths += [os.path.join(base, name) for base, _, names in os.walk(top) for name in names]
    for path in paths:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            continue
        for form in forms:
            if (at := data.find(form)) >= 0:
                hits.add(f"{path}: {data[max(0, at - 300) : at + 100]!r}")
print(json.dumps([rounds, sorted(hits)]))
"""


class HostWatcher:
    """The same on a lab host: its processes, and the folders where temporary files lie."""

    def __init__(self, host: LabHost, secrets: Sequence[str]) -> None:
        self.hits: list[str] = []
        self.rounds = 0
        self._forms = [form.hex() for secret in secrets for form in written_forms(secret)]
        host.run(f"cat > /root/watch.py <<'END'\n{_HOST_SCRIPT}\nEND")
        self._command = [*host.ssh_command(), "python3 /root/watch.py"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._forms) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "watching\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        out, _ = self._process.communicate(timeout=30)
        self.rounds, self.hits = json.loads(out)


def wait_a_moment() -> None:
    """Long enough for several samples."""
    time.sleep(0.5)
