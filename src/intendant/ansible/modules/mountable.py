#!/usr/bin/python
"""Say what keeps a file system from being mounted on this host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mountable
short_description: What keeps a file system from being mounted
description:
  - Looks at the kernel, the device and the place, and lists what is wrong. Changes nothing.
options:
  type:
    description: Type of the file system. Unset leaves the kernel alone.
    type: str
  device:
    description: Absolute path of the block device that must be there.
    type: str
  folder:
    description: Absolute path that must be there. Check mode only marks its absence with RV(blind_spot).
    type: str
  place:
    description: Absolute path of the folder to mount over.
    type: str
  unit_file:
    description: Path of the unit file that manages O(place). What it has mounted is not in the way.
    type: str
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Look whether the kernel knows NFS
  ansible.legacy.mountable:
    type: nfs
  register: nfs
"""

RETURN = r"""
problems: {description: Sentences about the kernel, the device and the place., type: dict, returned: always}
managed: {description: Whether the unit file exists., type: bool, returned: always}
mounted: {description: Whether something is mounted on the place., type: bool, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when a folder is missing}
"""

import os
import pwd
import re
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule

KERNEL_NAMES = {"nfs4": "nfs", "ext2": "ext4", "ext3": "ext4"}


def read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            return lines.read().splitlines()
    except OSError:
        return []


def unescape(text: str) -> str:
    """Undo the octal escapes of fstab and mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def kernel_knows(name: str) -> bool:
    """Tell whether a file system is in the kernel or among the modules that it could load."""
    names = {name, KERNEL_NAMES.get(name, name)}
    if names & {line.split()[-1] for line in read_lines("/proc/filesystems") if line.strip()}:
        return True
    folder = f"/lib/modules/{os.uname().release}"
    files = re.compile(rf"(^|/)({'|'.join(map(re.escape, sorted(names)))})\.ko(\.\w+)?(:|$)")
    known = [*read_lines(f"{folder}/modules.builtin"), *read_lines(f"{folder}/modules.dep")]
    return any(files.search(line) for line in known)


def read_fields(path: str, field: int) -> set[str]:
    """Return one column of a table such as fstab; the first is 0."""
    rows = [line.split() for line in read_lines(path) if not line.lstrip().startswith("#")]
    return {unescape(row[field]) for row in rows if len(row) > field}


def find_login_home() -> tuple[str, str]:
    """Return name and home of the user who became root."""
    try:
        entry = pwd.getpwnam(os.environ.get("SUDO_USER", ""))
    except KeyError:
        return "", ""
    return entry.pw_name, entry.pw_dir


def judge_place(place: str, mounted: bool, managed: bool) -> str:
    """Return what is wrong with the folder to mount over."""
    if place in read_fields("/etc/fstab", 1):
        return f"{place} is in /etc/fstab; take the line out there first, so that one place says what is mounted"
    real = os.path.realpath(place)
    if real != place:
        return f"{place} goes through a symbolic link; systemd mounts over real paths only: {real}"
    if mounted and not managed:
        return f"something else is mounted on {place} already; unmount it first"
    name, home = find_login_home()
    if home and not mounted and f"{os.path.realpath(home)}/".startswith(f"{place}/"):
        return f"{place} holds the home folder of {name}, who could not log in any more with it hidden"
    return ""


def judge_device(device: str) -> str:
    try:
        kind = os.stat(device).st_mode
    except OSError:
        return f"this host has no device {device}"
    return "" if stat.S_ISBLK(kind) else f"{device} is no block device"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "type": {"type": "str"},
            "device": {"type": "str"},
            "folder": {"type": "str"},
            "place": {"type": "str"},
            "unit_file": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params = module.params
    managed = bool(params["unit_file"]) and os.path.exists(params["unit_file"])
    problems = {"kernel": "", "source": "", "place": ""}
    mounted = params["place"] in read_fields("/proc/self/mountinfo", 4)
    result: dict[str, Any] = {"changed": False, "problems": problems, "managed": managed, "mounted": mounted}
    if params["type"] and not kernel_knows(params["type"]):
        problems["kernel"] = f"the kernel of this host knows no file system {params['type']}"
    if params["device"]:
        problems["source"] = judge_device(params["device"])
    if params["folder"] and not os.path.exists(params["folder"]):
        missing = f"{params['folder']} does not exist"
        if module.check_mode:
            result["blind_spot"] = f"{missing} yet; an earlier step is assumed to bring it"
        else:
            problems["source"] = f"{missing} on this host"
    if params["place"]:
        problems["place"] = judge_place(params["place"], mounted, managed)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
