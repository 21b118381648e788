"""Starting and ending the processes of one host."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from .commands import run_tool
from .errors import LabError
from .hosts import LabHost
from .network import namespace_pids
from .processes import forget_process, start_process
from .state import Process

# Runs in a mount namespace of its own. Each host gets its own control group: below a common one, stopping a service on
# one host would wait for, or kill, the same service of the others. Not exec'ed, so that it can tidy up afterwards.
SUPERVISOR = r"""
set -eu
name=$1 lower=$2 folder=$3; shift 3
groups=/sys/fs/cgroup
umount -l $groups 2>/dev/null || true
mount -t cgroup2 none $groups
cd "$folder"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=upper,workdir=work,volatile" root
status=133  # what systemd-nspawn ends with when the host wants to boot again
while [ $status -eq 133 ]; do
    mkdir -p "$groups/$name"
    echo $$ > "$groups/$name/cgroup.procs"
    status=0
    "$@" || status=$?
    echo $$ > $groups/cgroup.procs
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "$groups/$name" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.1
    done
done
umount -l root || true
exit $status
"""
REMOVE_GROUPS = r"""
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
find /sys/fs/cgroup -mindepth 1 -depth -type d -path "/sys/fs/cgroup/$1*" -exec rmdir {} + 2>/dev/null || true
find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d -name "$1*" -printf '%f\n'
"""
PRIVATE = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]


def start_machine(netns: str, name: str, lower: Path, folder: Path) -> Process:
    """Boot the layer in `folder`; returns its supervisor, which outlives this process."""
    for part in ("work", "root"):
        (folder / part).mkdir()
    nspawn = ["systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--settings=no", "--boot"]
    nspawn += ["--console=pipe", f"--directory={folder / 'root'}", f"--machine={netns}", f"--hostname={name}"]
    nspawn += [f"--network-namespace-path=/run/netns/{netns}", "--capability=CAP_NET_ADMIN"]
    nspawn += ["--link-journal=no", "--timezone=off", "--resolv-conf=off"]
    # what `network` makes writable is the host's own net.* settings
    writable = ["env", "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network"]
    command = [*PRIVATE, SUPERVISOR, "lab-host", netns, str(lower), str(folder), *writable, *nspawn]
    return start_process(command, folder / "console.log")


def await_machine(host: LabHost, supervisor: Process, folder: Path, *, timeout: float) -> None:
    """Wait (seconds) until the host's systemd says that all is running. Raises LabError when it does not."""
    deadline = time.monotonic() + timeout
    while not _answers(host):
        if not supervisor.alive() or time.monotonic() > deadline:
            console = (folder / "console.log").read_text(errors="replace")[-2000:]
            raise LabError(f"{host.name} did not boot; its console says:\n{console}")
        time.sleep(0.1)
    left = max(deadline - time.monotonic(), 10)
    said = host.run("systemctl is-system-running --wait", check=False, timeout=left)
    if said.stdout.strip() != "running":
        failed = host.run("systemctl --failed --plain --no-legend; journalctl -b -p err --no-pager", check=False).stdout
        raise LabError(f"{host.name} is {said.stdout.strip() or said.stderr.strip()}: {failed[-2000:]}")


def stop_machine(netns: str, supervisor: Process | None, *, timeout: float = 20) -> None:
    """End every process of a host and wait (seconds) until none is left. Raises LabError when some stay."""
    deadline = time.monotonic() + timeout
    while (pids := namespace_pids(netns)) or (supervisor and supervisor.alive()):
        # ending only systemd-nspawn would leave the system running over a deleted overlay
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"{netns} does not end: processes {pids}, supervisor {supervisor}")
        time.sleep(0.05)
    if supervisor:
        forget_process(supervisor)


def remove_groups(prefix: str) -> list[str]:
    """Delete empty control groups, which a supervisor that was killed leaves behind; returns those with processes."""
    return run_tool([*PRIVATE, REMOVE_GROUPS, "lab-clean", prefix], check=False).stdout.split()


def remove_folder(folder: Path) -> None:
    """Delete a stopped host's files."""
    if folder.exists():
        shutil.rmtree(folder)


def _answers(host: LabHost) -> bool:
    try:
        with socket.create_connection((host.address, host.port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
