"""The file systems that hosts start from, built once per recipe and shared read-only."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from .apt import KEYRING, find_archive
from .cacher import ARCHIVE
from .commands import run_tool
from .errors import LabError
from .state import locked

SUITES = ("bookworm", "trixie")
RECIPE = 2  # raise it when the steps below change what they build
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "python3",
    "sudo",
    "iproute2",
    "ca-certificates",
)


def rootfs_path(suite: str, cache: Path) -> Path:
    """Where the file system of `suite` is, or would be. Raises LabError for an unknown suite."""
    if suite not in SUITES:
        raise LabError(f"unknown suite {suite!r}; there are {', '.join(SUITES)}")
    key = hashlib.sha256("\n".join([suite, *PACKAGES, ARCHIVE, str(RECIPE)]).encode()).hexdigest()[:12]
    return cache / "rootfs" / f"{suite}-{key}"


def ensure_rootfs(suite: str, proxy: str, cache: Path) -> Path:
    """The file system of `suite`, built through the cacher at `proxy` (about 20 s) when it is not there yet."""
    path = rootfs_path(suite, cache)
    if path.is_dir():
        return path
    with locked(path.with_name(f"{path.name}.lock")):
        if not path.is_dir():
            building = path.with_name(f"{path.name}.building")
            _remove_tree(building)
            _build(suite, building, proxy)
            os.rename(building, path)
    return path


def _build(suite: str, target: Path, proxy: str) -> None:
    keyring = find_archive().signed_by or KEYRING
    command = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f'--aptopt=Acquire::http::Proxy "{proxy}"',
        '--aptopt=Acquire::Check-Valid-Until "false"',
        "--skip=cleanup/apt/lists",  # so that a fresh host installs without an update first
        "--quiet",
        suite,
        str(target),
        f"deb [signed-by={keyring}] {ARCHIVE} {suite} main",
    ]
    run_tool(command, timeout=900)
    _generalise(suite, target)


def _generalise(suite: str, target: Path) -> None:
    """Take out what must differ between hosts, and what this machine left in the tree."""
    drop = ["etc/machine-id", "var/lib/dbus/machine-id", "etc/hostname", "etc/resolv.conf", "etc/hosts"]
    drop += ["etc/apt/sources.list", "etc/apt/apt.conf.d/99mmdebstrap"]
    for name in drop:
        (target / name).unlink(missing_ok=True)
    for path in [*target.glob("etc/ssh/ssh_host_*"), *target.glob("etc/apt/sources.list.d/*")]:
        path.unlink()
    for timer in target.glob("etc/systemd/system/timers.target.wants/apt-daily*.timer"):
        timer.unlink()  # would take apt's lock at any time
    for name in ("etc/.updated", "var/.updated"):
        (target / name).touch()  # newer than /usr, so that systemd does no first-boot updates (half a second each time)
    (target / "etc/apt/sources.list.d/debian.sources").write_text(
        f"Types: deb\nURIs: {ARCHIVE}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
    )


def _remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
