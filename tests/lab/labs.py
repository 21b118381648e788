"""A lab: the hosts that one test session, one scenario or one command line owns."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from .cacher import ensure_cacher
from .errors import LabError
from .hosts import LabHost
from .leftovers import WORKERS, remove_dead_labs, remove_host, remove_lab
from .machines import await_machine, start_machine
from .needs import missing, raise_limits
from .network import Network, add_wire, ensure_network
from .processes import start_process
from .registry import HostRecord, LabRecord, as_ready, claim_host, new_lab, read_hosts, read_lab, with_supervisor
from .rootfs import ensure_rootfs
from .seed import ensure_user_key, make_layer, write_host_key, write_identity, write_user
from .state import Process, cache_dir, labs_dir, machine_lock, write_json

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
BOOT_SECONDS = 60.0


class Lab:
    """Boots and stops hosts. Any number of labs can exist on one machine at a time.

    `directory` takes the hosts' files (a folder of the cache without it; not on overlayfs, no colon or comma).
    With `name` the lab is kept: it outlives this process, and `Lab(name=...)` elsewhere finds it and its hosts again.
    """

    def __init__(self, directory: Path | None = None, *, name: str | None = None) -> None:
        if name is not None and not NAME.fullmatch(name):
            raise LabError(f"{name!r} cannot name a lab: use a-z, 0-9 and -")
        self.cache = cache_dir()
        self._wanted = directory.absolute() if directory else None
        self._kept = name is not None
        self._id = name or f"pid-{os.getpid()}-{secrets.token_hex(3)}"
        self._opened: tuple[LabRecord, Network, str] | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> tuple[LabRecord, Network, str]:
        """The lab's record, network and package proxy, made at the first call. Raises LabError where none can be."""
        if self._opened is None:
            if reasons := missing():
                raise LabError("; ".join(reasons))
            raise_limits()
            with machine_lock():
                remove_dead_labs()
                network = ensure_network()
                proxy = ensure_cacher(network.gateway, self.cache)
                record = read_lab(self._id) or self._register()
            self._opened = record, network, proxy
        return self._opened

    @property
    def address(self) -> str:
        """The machine's own address on the lab's network: what hosts reach it by."""
        return self.open()[1].gateway

    @property
    def directory(self) -> Path:
        """The folder of the lab's files; `close` deletes it unless it was given."""
        return self.open()[0].directory

    @property
    def folder(self) -> Path:
        """The folder of what is on record about the lab."""
        return self.open()[0].folder

    @property
    def hosts(self) -> dict[str, LabHost]:
        """The hosts that are up."""
        return {record.name: self._as_host(record) for record in read_hosts(self._id) if _is_up(record)}

    def boot(self, name: str, suite: str = "trixie", *, user: str = "admin") -> LabHost:
        """A fresh host (1 s; 20 s more when its suite was never used here). Raises LabError."""
        if not NAME.fullmatch(name):
            raise LabError(f"{name!r} cannot name a host: use a-z, 0-9 and -, a letter first, 40 at most")
        lab, network, proxy = self.open()
        lower = ensure_rootfs(suite, proxy, self.cache)
        with machine_lock():
            record = claim_host(lab, network, name, suite, user)
        try:
            return self._start(record, lower, network, proxy)
        except BaseException:
            # as it is by now: with its supervisor, if it came that far
            remove_host(next(found for found in read_hosts(lab.id) if found.index == record.index))
            raise

    def boot_many(self, suites: Mapping[str, str]) -> dict[str, LabHost]:
        """Fresh hosts by name and suite, some at a time. Raises LabError; those that came up by then stay up."""
        proxy = self.open()[2]
        for suite in sorted(set(suites.values())):
            ensure_rootfs(suite, proxy, self.cache)
        with ThreadPoolExecutor(WORKERS) as pool:
            return dict(zip(suites, pool.map(self.boot, suites, suites.values()), strict=True))

    def stop(self, name: str) -> None:
        """End one host and delete its files. Raises LabError when there is none of that name."""
        for record in read_hosts(self._id):
            if record.name == name:
                remove_host(record)
                return
        raise LabError(f"no host {name}; there are {', '.join(self.hosts) or 'none'}")

    def spawn(self, command: list[str]) -> Process:
        """Start a process that `close` ends; its output goes to a log in the lab's directory."""
        lab = self.open()[0]
        token = secrets.token_hex(3)
        process = start_process(command, lab.directory / f"process-{token}.log")
        write_json(lab.folder / f"process-{token}.json", asdict(process))
        return process

    def close(self) -> None:
        """End everything the lab has. Nothing happens when it was never opened or is closed."""
        with machine_lock():
            if record := read_lab(self._id):
                remove_lab(record)
        self._opened = None

    def _register(self) -> LabRecord:
        if self._wanted:
            self._wanted.mkdir(parents=True, exist_ok=True)
            return new_lab(self._id, self._wanted, temporary=False, kept=self._kept)
        parent = labs_dir(self.cache)
        parent.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix=f"{self._id}-", dir=parent))
        return new_lab(self._id, directory, temporary=True, kept=self._kept)

    def _start(self, record: HostRecord, lower: Path, network: Network, proxy: str) -> LabHost:
        ensure_user_key(self._key)
        layer = make_layer(lower, record.folder / "upper")
        write_identity(layer, record.name, proxy)
        write_user(layer, record.user, self._key.with_suffix(".pub").read_text())
        public = write_host_key(layer, record.folder)
        (record.folder / "known_hosts").write_text(f"{network.address(record.index)} {public}\n")
        add_wire(record.netns, record.index, network)
        supervisor = start_machine(record.netns, record.name, lower, record.folder)
        record = with_supervisor(record, supervisor)
        host = self._as_host(record)
        await_machine(host, supervisor, record.folder, timeout=BOOT_SECONDS)
        as_ready(record)
        return host

    def _as_host(self, record: HostRecord) -> LabHost:
        known_hosts = record.folder / "known_hosts"
        address = known_hosts.read_text().split()[0]
        unused = self.open()[1].unused_address
        return LabHost(record.name, record.suite, address, 22, record.user, self._key, known_hosts, unused)

    @property
    def _key(self) -> Path:
        return self.cache / "ssh" / "id_ed25519"


def _is_up(record: HostRecord) -> bool:
    return record.ready and record.supervisor is not None and record.supervisor.alive()
