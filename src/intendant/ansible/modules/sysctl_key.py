#!/usr/bin/python
"""Set one kernel parameter now and at every boot, predictable and reversible."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl_key
short_description: One kernel parameter, now and at every boot
description:
  - Writes the value below C(/proc/sys), which needs no sysctl program, and keeps it in a file of its own.
  - The file remembers the value from before, and O(state=absent) brings that back, unless somebody has changed the
    running value in the meantime.
options:
  name:
    description: Name of the parameter, with dots or slashes.
    type: str
    required: true
  value:
    description: The value. White space counts as one space.
    type: str
  state:
    description: Whether the parameter is set by O(file).
    type: str
    choices: [present, absent]
    default: present
  file:
    description: Path of the file that holds the parameter at boot.
    type: str
    required: true
  expected:
    description: The caller knows that an earlier step of the same run loads a kernel module that may bring it.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Forward packets
  ansible.legacy.sysctl_key:
    name: net.ipv4.ip_forward
    value: "1"
    file: /etc/sysctl.d/99-zz-net.ipv4.ip_forward.conf
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when the key is missing}
"""

import os
import re
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ROOT = "/proc/sys"
FORMER = re.compile(r"^# Before: (.*)$", re.MULTILINE)
SETTING = re.compile(r"^([^#\s=][^=\n]*?) *= *(.*)$", re.MULTILINE)


def path_of(name: str) -> str:
    """Return the file of a parameter; the first separator decides which one parts its name, as in sysctl.d(5)."""
    first = re.search(r"[./]", name)
    if first and first[0] == ".":
        name = name.translate(str.maketrans("./", "/."))
    return f"{ROOT}/{name}"


def normalize(value: str) -> str:
    return " ".join(value.split())


def read_value(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return normalize(file.read())


def write_value(path: str, value: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(value)


def find_fault(running: str, value: str) -> str:
    """Say what is surely wrong with a value; the kernel itself judges only when it is written."""
    number = r"-?\d+( -?\d+)*"
    if re.fullmatch(number, running) and re.search(r"[A-Za-z]", re.sub(r"\b0x[0-9A-Fa-f]+\b", "0", value)):
        return f"it is a number (now {running})"
    if re.fullmatch(number, value) and re.fullmatch(r"-?\d+( -?\d+)+", running):
        if len(value.split()) != len(running.split()):
            return f"it has {len(running.split())} numbers (now {running})"
    return ""


def describe(running: str | None, kept: str | None) -> str:
    lines = [f"running: {running}"] if running is not None else []
    return "".join(f"{line}\n" for line in [*lines, f"at boot: {kept if kept is not None else '(not set here)'}"])


class Kept:
    """The file of a parameter."""

    def __init__(self, path: str) -> None:
        self.path, self.text = path, ""
        self.former: str | None = None
        self.value: str | None = None
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                self.text = file.read()
            former, setting = FORMER.search(self.text), SETTING.search(self.text)
            self.former, self.value = former and former[1], normalize(setting[2]) if setting else ""

    def write(self, module: AnsibleModule, name: str, value: str, former: str) -> None:
        os.makedirs(os.path.dirname(self.path), mode=0o755, exist_ok=True)
        beside = f"{self.path}.{os.getpid()}.new"
        with open(beside, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(f"# Written by the role sysctl.\n# Before: {former}\n{name} = {value}\n")
        os.replace(beside, self.path)
        module.set_default_selinux_context(self.path, False)


def set_running(module: AnsibleModule, path: str, name: str, value: str, former: str) -> None:
    """Write the value and make sure that the kernel took it as it is."""
    try:
        write_value(path, value)
        now = read_value(path)
    except OSError as error:
        module.fail_json(msg=f"the kernel refuses {name} = {value}: {error.strerror}")
    if now != value:
        write_value(path, former)
        module.fail_json(msg=f"the kernel made {now} of {name} = {value}; the value is {former} again")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "value": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "file": {"type": "str", "required": True},
            "expected": {"type": "bool", "default": False},
        },
        required_if=[["state", "present", ["value"]]],
        supports_check_mode=True,
    )
    params = module.params
    name, absent, path = params["name"], params["state"] == "absent", path_of(params["name"])
    if os.path.normpath(path) != path or not re.match(r"[A-Za-z0-9_]", name):
        module.fail_json(msg=f"{name!r} is not the name of a kernel parameter")
    kept, running = Kept(params["file"]), None
    if os.path.isfile(path):
        if not stat.S_IMODE(os.stat(path).st_mode) & 0o444:
            module.fail_json(msg=f"{name} can only be written: it makes the kernel do something and keeps no value")
        running = read_value(path)
    value = kept.former if absent else normalize(params["value"])
    if absent and (running is None or kept.value != running or value is None):
        value = running
    if not absent and running is None and not (params["expected"] and module.check_mode):
        module.fail_json(msg=f"the kernel of this host has no parameter {name}; a kernel module may have to bring it")
    if running is not None and value is not None and value != running:
        if fault := find_fault(running, value):
            module.fail_json(msg=f"{name} cannot be {value}: {fault}")
        if not os.access(path, os.W_OK):
            module.fail_json(msg=f"this host does not let {name} be changed; in a container it belongs to its host")

    before, after = describe(running, kept.value), describe(value, None if absent else value)
    header = f"kernel parameter {name}"
    result: dict[str, Any] = {"changed": before != after}
    result["diff"] = {"before": before, "after": after, "before_header": header, "after_header": header}
    if running is None and not absent:
        result["blind_spot"] = f"{name} does not exist yet; a kernel module of an earlier step is assumed to bring it"
    if result["changed"] and not module.check_mode:
        if running is not None and value is not None and value != running:
            set_running(module, path, name, value, running)
        if absent and kept.text:
            os.unlink(kept.path)
        elif not absent and value != kept.value:
            former = kept.former if kept.former is not None else running
            kept.write(module, name, str(value), str(former))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
