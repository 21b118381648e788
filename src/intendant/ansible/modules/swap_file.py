#!/usr/bin/python
"""Make, resize or delete a swap file, with a prediction that has looked at the disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swap_file
short_description: A swap file of a size
description:
  - Allocates a file that only root may read and prepares it with mkswap. Turning it on is left to its systemd unit.
  - Another size means a new file. If the old one is in use, its O(unit) is stopped for that moment and started again.
  - Refuses, in check mode too, what cannot work - too little space, a file system that cannot hold swap, a file that is
    no swap file, or one that C(/etc/fstab) already manages.
options:
  path:
    description: Absolute path of the file.
    type: str
    required: true
  size:
    description: Size, a number followed by K, M, G or T.
    type: str
  unit:
    description: The systemd unit that turns the file on.
    type: str
    required: true
  state:
    description: Whether the file is there.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Two gigabytes of swap
  ansible.legacy.swap_file:
    path: /swapfile
    size: 2G
    unit: swapfile.swap
"""

RETURN = r"""
file: {description: The path., type: str, returned: always}
"""

import errno
import os
import re

from ansible.module_utils.basic import AnsibleModule

SIZE = re.compile(r"([1-9][0-9]{0,5})([KMGT])(?:i?B)?\Z")
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# mkswap wants ten pages at least.
SMALLEST = 2**20
# What stays free on the disk.
RESERVE = 64 * 2**20
UNFIT = ("btrfs", "zfs", "tmpfs", "ramfs", "nfs", "nfs4", "cifs", "fuse", "bcachefs")


def parse_size(text: str) -> int:
    """Return a size in bytes, 0 for what is none."""
    found = SIZE.match(text)
    return int(found[1]) * UNITS[found[2]] if found else 0


def find_filesystem(path: str, mountinfo: str) -> str:
    """Return the type of the file system that holds a path; the text is that of /proc/self/mountinfo."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        left, _dash, right = line.partition(" - ")
        # Spaces and the like in the path are octal there; a swap file's path has none.
        point = left.split()[4]
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def is_swap(path: str) -> bool:
    with open(path, "rb") as file:
        file.seek(os.sysconf("SC_PAGE_SIZE") - 10)
        return file.read(10) == b"SWAPSPACE2"


def is_on(path: str) -> bool:
    with open("/proc/swaps", encoding="utf-8") as file:
        return any(line.split()[0] == path for line in file if line.strip())


def find_fault(path: str, size: int, had: int) -> str:
    """Say why the file cannot be made."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return f"there is no folder {folder}"
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        kind = find_filesystem(path, file.read())
    if kind.split(".")[0] in UNFIT:
        return f"its file system, {kind}, cannot hold a swap file"
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize + had
    if size + RESERVE > free:
        return f"{size // 2**20} MiB do not fit: {free // 2**20} MiB are free, of which 64 stay so"
    return ""


def find_fstab_line(path: str) -> str:
    try:
        with open("/etc/fstab", encoding="utf-8", errors="replace") as file:
            return next((line.strip() for line in file if line.split()[:1] == [path]), "")
    except OSError:
        return ""


def allocate(path: str, size: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(handle, 0o600)
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
            for _part in range(size // SMALLEST):
                os.write(handle, bytes(SMALLEST))
        os.fsync(handle)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(handle)


def describe(path: str, size: int) -> str:
    return f"{path}: {size // 2**10} KiB\n" if size else ""


def run(module: AnsibleModule, *argv: str) -> None:
    rc, out, err = module.run_command(list(argv), environ_update={"LC_ALL": "C"}, expand_user_and_vars=False)
    if rc != 0:
        module.fail_json(msg=f"{' '.join(argv[:2])} failed: {(err or out).strip()}")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "size": {"type": "str"},
            "unit": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[["state", "present", ["size"]]],
        supports_check_mode=True,
    )
    params = module.params
    path, absent, unit = params["path"], params["state"] == "absent", params["unit"]
    size = 0 if absent else parse_size(params["size"])
    if size < SMALLEST and not absent:
        module.fail_json(msg=f"{params['size']!r} is not a size of at least 1M such as 2G or 512M")
    if not path.startswith("/") or os.path.normpath(path) != path:
        module.fail_json(msg=f"{path!r} is not the absolute path of a file")
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path) or not is_swap(path)):
        module.fail_json(msg=f"{path} is there and no swap file; it is left alone")
    had = os.path.getsize(path) if os.path.exists(path) else 0
    if line := find_fstab_line(path):
        module.fail_json(msg=f"/etc/fstab manages {path} already ({line!r}); take another path or delete that line")
    fault = find_fault(path, size, had) if size not in (0, had) else ""
    if fault:
        module.fail_json(msg=f"{path}: {fault}")

    before, after = describe(path, had), describe(path, size)
    result = {"file": path, "changed": had != size}
    result["diff"] = {"before": before, "after": after, "before_header": "swap file", "after_header": "swap file"}
    if not result["changed"] or module.check_mode:
        module.exit_json(**result)
    on = bool(had) and is_on(path)
    if on:
        run(module, "systemctl", "stop", "--", unit)
        if is_on(path):
            run(module, "swapoff", "--", path)
    try:
        if had:
            os.unlink(path)
        if size:
            allocate(path, size)
    except OSError as error:
        module.fail_json(msg=f"{path}: {error.strerror}")
    if size:
        run(module, "mkswap", "--", path)
    if size and on:
        run(module, "systemctl", "start", "--", unit)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
