#!/usr/bin/python
"""Keep the ssh keys that may log in as a local user."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account_keys
short_description: Authorized ssh keys of a user that may not exist yet
description:
  - Adds keys to C(.ssh/authorized_keys) in the home of a user. Other lines are kept unless O(exclusive) is set.
  - Keys are compared by type and key, so another comment or other options replace a line rather than add one.
  - In check mode the user may be one that an earlier step of the same run creates; O(home) then names its home.
options:
  name:
    description: Login name.
    type: str
    required: true
  keys:
    description: Lines as they stand in an authorized_keys file.
    type: list
    elements: str
    required: true
  exclusive:
    description: Remove every other line.
    type: bool
    default: false
  home:
    description: Home of a user that does not exist yet.
    type: str
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Let a colleague in
  ansible.legacy.account_keys:
    name: deploy
    keys: ["{{ lookup('ansible.builtin.file', 'keys/colleague.pub') }}"]
"""

RETURN = r"""
file: {description: The file., type: str, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import os
import pwd
import re
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

KEY = re.compile(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+\s+AAAA[A-Za-z0-9+/]+={0,3})(?=\s|$)")


def find_identity(line: str) -> str:
    """Return type and key of a line, or nothing for a comment."""
    found = None if line.lstrip().startswith("#") else KEY.search(line)
    return " ".join(found[1].split()) if found else ""


def merge(current: str, keys: list[str], exclusive: bool) -> str:
    """Return the file's new text: given keys once each, at their old place if they have one."""
    given = {find_identity(key): key.strip() for key in keys}
    lines, placed = [], set()
    for line in current.splitlines():
        identity = find_identity(line)
        if identity in given:
            if identity not in placed:
                lines.append(given[identity])
            placed.add(identity)
        elif not exclusive:
            lines.append(line)
    lines += [key for identity, key in given.items() if identity not in placed]
    return "".join(f"{line}\n" for line in lines)


def write(path: str, text: str, uid: int, gid: int) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)
        os.chown(folder, uid, gid)
    handle, beside = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchown(file.fileno(), uid, gid)
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    os.replace(beside, path)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
            "exclusive": {"type": "bool", "default": False},
            "home": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params, name, result = module.params, module.params["name"], dict[str, Any]()
    for key in params["keys"]:
        if not find_identity(key) or not key.strip().isprintable():
            module.fail_json(msg=f"{key!r} is not the line of a public ssh key")
    try:
        entry = pwd.getpwnam(name)
        home, uid, gid = entry.pw_dir, entry.pw_uid, entry.pw_gid
    except KeyError:
        if not module.check_mode:
            module.fail_json(msg=f"there is no user {name} on this host")
        home, uid, gid = params["home"] or f"/home/{name}", -1, -1
        if not params["home"]:
            result["blind_spot"] = f"{name} does not exist yet; an earlier step is assumed to create it in {home}"
    path = f"{home}/.ssh/authorized_keys"
    # The folder is in the user's hands: following a link would let it write elsewhere as root.
    for part in (os.path.dirname(path), path):
        if os.path.islink(part):
            module.fail_json(msg=f"{part} is a symbolic link; refusing to follow it")
    before = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            before = file.read()
    after = merge(before, params["keys"], params["exclusive"])
    if before == after:
        module.exit_json(changed=False, file=path, **result)
    result["diff"] = {"before": before, "after": after, "before_header": path, "after_header": path}
    if not module.check_mode:
        if not os.path.isdir(home):
            module.fail_json(msg=f"the home of {name}, {home}, does not exist")
        try:
            write(path, after, uid, gid)
        except OSError as error:
            module.fail_json(msg=f"{path} cannot be written: {error}")
    module.exit_json(changed=True, file=path, **result)


if __name__ == "__main__":
    main()
