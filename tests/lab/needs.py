"""What the machine must have for lab hosts to boot, and how it gets it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .apt import find_archive
from .commands import run_tool
from .errors import LabError

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "apt-cacher-ng": "apt-cacher-ng",
    "ssh": "openssh-client",
}
LIMITS = {  # at the kernel's defaults about the 28th host fails to boot
    "fs/inotify/max_user_instances": 8192,
    "kernel/keys/maxkeys": 20000,
    "kernel/keys/maxbytes": 2000000,
}


def missing() -> list[str]:
    """Why lab hosts cannot boot here, each reason with what to do; empty when they can."""
    if not sys.platform.startswith("linux"):
        return [f"lab hosts need Linux, this is {sys.platform}; run the tests on a Debian machine"]
    reasons = []
    if os.geteuid() != 0:
        reasons.append("lab hosts need root; run this as root")
    absent = [package for program, package in PACKAGES.items() if not _find(program)]
    if absent:
        reasons.append(f"not installed: {', '.join(absent)}; run `python -m lab install` as root")
    if "\toverlay\n" not in Path("/proc/filesystems").read_text() and not Path("/sys/module/overlay").exists():
        reasons.append("the kernel has no overlayfs; run `modprobe overlay` as root")
    try:
        find_archive()
    except LabError as error:
        reasons.append(str(error))
    return reasons


def install_packages() -> None:
    """Install what is absent, starting no service; does nothing when all is there. Raises LabError."""
    absent = [package for program, package in PACKAGES.items() if not _find(program)]
    if not absent:
        return
    if os.geteuid() != 0 or not _find("apt-get"):
        raise LabError(f"cannot install {', '.join(absent)}: this needs root on a Debian machine")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # asked by Debian's package scripts before they start a service; 101 means no
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        wait = ["-o", "DPkg::Lock::Timeout=300"]
        run_tool(["apt-get", *wait, "-qq", "update"], timeout=300, env=env)
        run_tool(["apt-get", *wait, "-qq", "-y", "--no-install-recommends", "install", *absent], timeout=900, env=env)
    finally:
        if ours:
            policy.unlink(missing_ok=True)
    if "apt-cacher-ng" in absent and _find("systemctl"):
        # the lab starts one of its own; the packaged service would come up with the machine's next boot
        run_tool(["systemctl", "disable", "apt-cacher-ng.service"], check=False)


def raise_limits() -> None:
    """Raise the kernel's limits that many hosts share, never lowering one."""
    for name, wanted in LIMITS.items():
        path = Path("/proc/sys") / name
        if int(path.read_text()) < wanted:
            path.write_text(str(wanted))


def _find(program: str) -> str | None:
    # a plain user's PATH lacks sbin, where some of these live
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
