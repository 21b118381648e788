"""Who runs what on this machine: folders, locks, processes that are told apart from later ones with their pid."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "ilab-"  # of every namespace, interface and control group, so that leftovers are recognisable


def cache_dir() -> Path:
    """The folder for what is slow to make and outlives a lab: root file systems, packages, the ssh key.

    A lab asks once: tests may change the environment afterwards.
    """
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "intendant-lab"
    return Path(os.environ.get("INTENDANT_LAB_CACHE") or default).absolute()


def labs_dir(cache: Path) -> Path:
    """Where hosts' files go when nobody says otherwise; another folder after each boot of the machine."""
    return cache / "labs" / f"boot-{boot_id()[:8]}"


def runtime_dir() -> Path:
    """The folder that says what runs now; shared by all labs of the machine."""
    return Path("/run/intendant-lab")  # not a setting: the names of interfaces and namespaces are the machine's, too


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` against other processes and threads; waits without limit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def machine_lock() -> Iterator[None]:
    """Hold the machine's lab state: labs, addresses, bridge and package cache. Not re-entrant."""
    with locked(runtime_dir() / "lock"):
        yield


def boot_id() -> str:
    """Changes whenever the machine boots: what was recorded under another one is gone."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class Process:
    """A process by pid and start time (clock ticks after boot), since pids are used again."""

    pid: int
    start: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has `pid` now. Raises FileNotFoundError when there is none."""
        return cls(pid, int(_stat(pid)[19]), boot_id())

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        try:
            fields = _stat(self.pid)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return fields[0] not in "ZX" and int(fields[19]) == self.start and self.boot == boot_id()


def _stat(pid: int) -> list[str]:
    # the command name (second field) may hold blanks and parentheses; what follows its last one does not
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def write_json(path: Path, data: dict[str, Any], *, exclusive: bool = False) -> None:
    """Write at once or not at all. With `exclusive`, raises FileExistsError when `path` is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "w") as stream:
        json.dump(data, stream)
    try:
        if exclusive:
            os.link(name, path)
        else:
            os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in `path`, None when there is no such file."""
    try:
        data: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return data
