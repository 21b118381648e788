"""Taking hosts and labs apart: on request, or because whoever made them is gone."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cacher import stop_cacher
from .machines import remove_folder, remove_groups, stop_machine
from .network import namespace_pids, remove_network, remove_wire
from .processes import end_process
from .registry import HostRecord, LabRecord, read_hosts, read_lab, read_labs
from .state import PREFIX, Process, cache_dir, labs_dir, machine_lock, read_json

WORKERS = 6


def remove_host(host: HostRecord) -> None:
    """End a host and delete all it had. Raises LabError when something stays; then the record stays too."""
    stop_machine(host.netns, host.supervisor)
    remove_wire(host.netns, host.index)
    remove_folder(host.folder)
    host.path.unlink(missing_ok=True)


def remove_lab(lab: LabRecord) -> None:
    """Take a lab apart, and what all labs share when it was the last. Call it with the machine lock held."""
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(remove_host, read_hosts(lab.id)))
    for path in lab.folder.glob("process-*.json"):
        if data := read_json(path):
            end_process(Process(**data))
    if lab.temporary:
        shutil.rmtree(lab.directory, ignore_errors=True)
    shutil.rmtree(lab.folder, ignore_errors=True)
    if not read_labs():
        stop_cacher()
        remove_network()


def remove_dead_labs() -> list[str]:
    """Take apart every lab whose owner is gone; returns their ids. Call it with the machine lock held."""
    dead = [lab for lab in read_labs() if not lab.alive()]
    for lab in dead:
        remove_lab(lab)
    if dead:
        remove_groups(PREFIX)
    return [lab.id for lab in dead]


def clean() -> list[str]:
    """Delete every leftover of labs whose owner is gone, on record or not; returns what was found."""
    with machine_lock():
        found = [f"lab {name}" for name in remove_dead_labs()]
        for host in read_hosts():
            if read_lab(host.lab) is None:
                remove_host(host)
                found.append(f"host {host.netns}")
        known = {host.netns for host in read_hosts()}
        for path in sorted(Path("/run/netns").glob(f"{PREFIX}*")):
            if path.name not in known:
                index = path.name.removeprefix(PREFIX).partition("-")[0]
                stop_machine(path.name, None)
                remove_wire(path.name, int(index) if index.isdigit() else 0)
                found.append(f"namespace {path.name}, {len(namespace_pids(path.name))} processes left")
        current = labs_dir(cache_dir())
        for path in sorted(current.parent.glob("boot-*")):
            if path != current:  # the records that told whose it was went with the last boot
                shutil.rmtree(path, ignore_errors=True)
                found.append(f"folder {path}")
        for name in remove_groups(PREFIX):
            if name not in known:
                found.append(f"control group {name}, not deleted: it still has processes")
        if not read_labs():
            stop_cacher()
            remove_network()
    return found
