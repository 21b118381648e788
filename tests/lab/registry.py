"""Which labs and hosts exist on this machine, kept in small files that survive their makers."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .errors import LabError
from .network import Network
from .state import PREFIX, Process, boot_id, read_json, runtime_dir, write_json


@dataclass(frozen=True)
class LabRecord:
    """A lab; without `owner` it lives until it is closed by name or the machine reboots."""

    id: str
    directory: Path
    temporary: bool
    owner: Process | None
    boot: str

    @property
    def folder(self) -> Path:
        """Where this record and those of the lab's own processes are."""
        return runtime_dir() / "labs" / self.id

    def alive(self) -> bool:
        """Whether somebody may still use the lab."""
        return self.boot == boot_id() and (self.owner is None or self.owner.alive())

    def save(self) -> None:
        """Write the record."""
        write_json(self.folder / "lab.json", asdict(self) | {"directory": str(self.directory)})


@dataclass(frozen=True)
class HostRecord:
    """A host, from before its first process to after its last."""

    index: int
    lab: str
    name: str
    suite: str
    user: str
    folder: Path
    supervisor: Process | None = None
    ready: bool = False

    @property
    def netns(self) -> str:
        """Its network namespace, also its machine name and control group."""
        return f"{PREFIX}{self.index}-{self.name}"

    @property
    def path(self) -> Path:
        """The file of this record; its existence claims the address."""
        return runtime_dir() / "hosts" / f"{self.index}.json"

    def save(self, *, exclusive: bool = False) -> None:
        """Write the record; with `exclusive`, raises FileExistsError when the number is taken."""
        write_json(self.path, asdict(self) | {"folder": str(self.folder)}, exclusive=exclusive)


def read_labs() -> list[LabRecord]:
    """Every lab on record."""
    found = [read_json(path) for path in sorted((runtime_dir() / "labs").glob("*/lab.json"))]
    return [_lab(data) for data in found if data]


def read_lab(lab_id: str) -> LabRecord | None:
    """The lab of that id, None when there is none."""
    data = read_json(runtime_dir() / "labs" / lab_id / "lab.json")
    return _lab(data) if data else None


def read_hosts(lab_id: str | None = None) -> list[HostRecord]:
    """Every host on record, or those of one lab, by number."""
    found = [read_json(path) for path in (runtime_dir() / "hosts").glob("[0-9]*.json")]
    hosts = [_host(data) for data in found if data]
    return sorted((host for host in hosts if lab_id in (None, host.lab)), key=lambda host: host.index)


def claim_host(lab: LabRecord, network: Network, name: str, suite: str, user: str) -> HostRecord:
    """Take the next free number. Call it with the machine lock held. Raises LabError."""
    taken = {host.index for host in read_hosts()}
    if name in {host.name for host in read_hosts(lab.id)}:
        raise LabError(f"{name} exists already in this lab")
    # Numbers go round, also across labs: a connection that somebody keeps open to a former host must not meet a new one
    counter = runtime_dir() / "next.json"
    first = (read_json(counter) or {"next": network.indexes[0]})["next"]
    around = [*(index for index in network.indexes if index >= first), *network.indexes]
    index = next((index for index in around if index not in taken), None)
    if index is None:
        raise LabError(f"all {len(network.indexes)} addresses are in use")
    write_json(counter, {"next": index + 1})
    folder = lab.directory / f"{PREFIX}{index}-{name}"
    record = HostRecord(index, lab.id, name, suite, user, folder)
    record.save(exclusive=True)
    return record


def new_lab(lab_id: str, directory: Path, *, temporary: bool, kept: bool) -> LabRecord:
    """Record a lab of this process, or, when `kept`, of nobody."""
    owner = None if kept else Process.of(os.getpid())
    record = LabRecord(lab_id, directory, temporary, owner, boot_id())
    record.save()
    return record


def with_supervisor(host: HostRecord, process: Process) -> HostRecord:
    """The record, saved with the process that runs the host."""
    changed = replace(host, supervisor=process)
    changed.save()
    return changed


def as_ready(host: HostRecord) -> HostRecord:
    """The record, saved as one that can be logged in to."""
    changed = replace(host, ready=True)
    changed.save()
    return changed


def _lab(data: dict[str, Any]) -> LabRecord:
    owner = Process(**data["owner"]) if data["owner"] else None
    return LabRecord(**{**data, "directory": Path(data["directory"]), "owner": owner})


def _host(data: dict[str, Any]) -> HostRecord:
    supervisor = Process(**data["supervisor"]) if data["supervisor"] else None
    return HostRecord(**{**data, "folder": Path(data["folder"]), "supervisor": supervisor})
