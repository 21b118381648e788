#!/usr/bin/python
"""Check that unit files may be written under these names, and that the program they run is there. Changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: own_unit
short_description: Whether systemd units of these names are free or the caller's own
description:
  - Fails when a package, a SysV script or somebody else brought a unit of one of the O(names).
  - Fails when O(program) is not there, before anything is changed. In check mode an earlier step of the same
    run may bring it; the prediction is then marked with RV(blind_spot) unless O(expected) names it.
  - Never changes anything.
options:
  names:
    description: Names of unit files, such as V(app.service).
    type: list
    elements: str
    required: true
  marker:
    description: First line of the caller's own unit files.
    type: str
    required: true
  program:
    description: Absolute path of the program that the unit runs.
    type: str
  expected:
    description: Programs that earlier steps of the same run bring.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Check that the name is free
  ansible.legacy.own_unit:
    names: [shop.service]
    marker: "# Managed by the role app_service."
    program: /srv/shop/run
"""

RETURN = r"""
present: {description: Which of the names are the caller's units on the host., type: list, returned: always}
program_there: {description: Whether the program is there and can be run., type: bool, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(service|timer)\Z")
OWN = "/etc/systemd/system"
FOREIGN = ("/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def find_conflict(name: str, marker: str) -> str | None:
    """Say whose the unit is when it is not the caller's."""
    script = f"/etc/init.d/{name.removesuffix('.service')}"
    others = [f"{folder}/{name}" for folder in FOREIGN] + ([script] if name.endswith(".service") else [])
    for path in others:
        if os.path.lexists(path):
            return f"{name} is a unit that a package or the system brought ({path}); choose another name"
    path = f"{OWN}/{name}"
    if not os.path.lexists(path):
        return None
    if os.path.isfile(path) and not os.path.islink(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            if file.readline().rstrip("\n") == marker:
                return None
    return f"{path} was not written by this role; choose another name, or remove that file first"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "marker": {"type": "str", "required": True},
            "program": {"type": "str"},
            "expected": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    for name in params["names"]:
        if not NAME.match(name):
            module.fail_json(msg=f"{name!r} is not the name of a service or timer unit")
        if conflict := find_conflict(name, params["marker"]):
            module.fail_json(msg=conflict)
    program = params["program"]
    there = program is None or (os.path.isfile(program) and os.access(program, os.X_OK))
    present = [name for name in params["names"] if os.path.lexists(f"{OWN}/{name}")]
    result: dict[str, Any] = {"changed": False, "present": present, "program_there": there}
    if not there:
        missing = f"{program} is not a program on this host"
        if not module.check_mode:
            hint = "it may not be executed (chmod +x)" if os.path.isfile(program) else "there is no such file"
            module.fail_json(msg=f"{missing}: {hint}")
        if program not in params["expected"]:
            result["blind_spot"] = f"{missing} yet; an earlier step is assumed to bring it"
    module.exit_json(**result)


if __name__ == "__main__":
    main()
