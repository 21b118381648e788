"""What is on a lab host, so that a test can tell whether a host is as it was."""

import json

from lab.hosts import LabHost

# Places that change by themselves or by looking at a host, and no role manages.
_VOLATILE = (
    "/dev", "/proc", "/sys", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/backups", "/root/.ansible",
    "/home/admin", "/var/lib/apt", "/var/lib/systemd", "/var/lib/dpkg", "/var/lib/private", "/var/lib/sudo",
)  # fmt: skip
# Copies that the tools for users keep of the files that they change.
_BACKUPS = ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-")
# Services that D-Bus starts when somebody asks them something, and that end by themselves.
_ON_DEMAND = ("systemd-hostnamed.service", "systemd-timedated.service", "systemd-localed.service")
# What the system computes from other files, whenever a package comes or goes.
_COMPUTED = ("/etc/ld.so.cache",)

_SCRIPT = r"""
import hashlib, json, os, sys
volatile, found = tuple(sys.argv[1].split(",")), {}
for top, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(top, name) not in volatile and name != "__pycache__"]
    for name in folders + names:
        path = os.path.join(top, name)
        if path in volatile:
            continue
        status = os.lstat(path)
        told = f"{status.st_mode:o} {status.st_uid}:{status.st_gid}"
        if os.path.islink(path):
            told += " -> " + os.readlink(path)
        elif path.startswith("/etc/") and os.path.isfile(path):
            with open(path, "rb") as file:
                told += " " + hashlib.sha256(file.read()).hexdigest()
        found[path] = told
print(json.dumps(found))
"""


def read_state(host: LabHost) -> dict[str, str]:
    """Kind, permissions and owner of everything on a host, with a digest for what lies in /etc; packages and units."""
    script = _SCRIPT.replace("'", "'\\''")
    done = host.run(f"python3 -c '{script}' {','.join(_VOLATILE + _BACKUPS + _COMPUTED)}")
    state: dict[str, str] = json.loads(done.stdout)
    for line in host.run(
        "dpkg-query --show --showformat '${Package} ${Version} ${db:Status-Abbrev}\\n'"
    ).stdout.splitlines():
        state[f"package {line.split()[0]}"] = line
    for line in host.run("systemctl list-units --no-legend --plain --type=service --state=active").stdout.splitlines():
        if line.split()[0] not in _ON_DEMAND:
            state[f"unit {line.split()[0]}"] = "active"
    return state


def compare_states(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """One line for each thing that is not as it was."""
    return [
        f"{name}: {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
