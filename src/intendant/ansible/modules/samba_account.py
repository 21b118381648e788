#!/usr/bin/python
"""Give a local user a password for Samba without ever showing it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: samba_account
short_description: A user of Samba's own password database
description:
  - Compares the password with the hash that Samba keeps and sets it only if it does not match.
  - The password reaches smbpasswd through its standard input; neither it nor a hash of it is in any result.
options:
  name:
    description: Name of a user of the system.
    type: str
    required: true
  password:
    description: The password. Needed when O(state=present).
    type: str
  state:
    description: Whether the user may log in to shares.
    type: str
    choices: [present, absent]
    default: present
  fresh:
    description: An earlier step of the same run brings Samba. The database then counts as empty, in both modes.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Let a user log in to shares
  ansible.legacy.samba_account:
    name: alice
    password: "{{ vault_alice_password }}"
  no_log: true
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode without Samba}
"""

import re
import secrets
import struct
from typing import Any

from ansible.module_utils.basic import AnsibleModule

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?\Z")
MASK = 0xFFFFFFFF
# The three rounds of RFC 1320: constant, order of the words, and shifts.
ROUNDS = (
    (0, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), (3, 7, 11, 19)),
    (0x5A827999, (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), (3, 5, 9, 13)),
    (0x6ED9EBA1, (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15)),
)


def mix(number: int, x: int, y: int, z: int) -> int:
    """Return what the round of that number makes of three words."""
    if number == 0:
        return (x & y) | (~x & z)
    return (x & y) | (x & z) | (y & z) if number == 1 else x ^ y ^ z


def md4(data: bytes) -> bytes:
    """MD4 by RFC 1320, which Samba's hashes are made of and current OpenSSL leaves out. Not for anything new."""
    padded = data + b"\x80" + b"\0" * (-(len(data) + 9) % 64) + struct.pack("<Q", len(data) * 8)
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    for start in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[start : start + 64])
        a, b, c, d = state
        for number, (constant, order, shifts) in enumerate(ROUNDS):
            for step, index in enumerate(order):
                value = (a + mix(number, b, c, d) + words[index] + constant) & MASK
                shift = shifts[step % 4]
                a, b, c, d = d, ((value << shift) | (value >> (32 - shift))) & MASK, b, c
        state = [(old + new) & MASK for old, new in zip(state, (a, b, c, d), strict=True)]
    return struct.pack("<4I", *state)


def nt_hash(password: str) -> str:
    return md4(password.encode("utf-16-le")).hex().upper()


def run(module: AnsibleModule, argv: list[str], stdin: str | None = None) -> tuple[int, str, str]:
    rc, out, err = module.run_command(
        argv, data=stdin, binary_data=True, environ_update={"LC_ALL": "C"}, expand_user_and_vars=False,
        handle_exceptions=False,
    )  # fmt: skip
    return rc, out, err


def read_entry(module: AnsibleModule, name: str) -> tuple[str, str]:
    """Return hash and flags of the user, empty if there is none; raise OSError without Samba."""
    _rc, out, _err = run(module, ["pdbedit", "--list", "--smbpasswd-style"])
    for line in out.splitlines():
        fields = line.split(":")
        if len(fields) > 4 and fields[0].lower() == name.lower():
            module.no_log_values.add(fields[3])
            return fields[3].upper(), fields[4]
    return "", ""


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "password": {"type": "str", "no_log": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params, name, password = module.params, module.params["name"], module.params["password"] or ""
    wanted = params["state"] == "present"
    if not NAME.match(name):
        module.fail_json(msg=f"{name!r} is not the name of a user")
    if wanted and (not password or re.search(r"[\0\r\n]", password)):
        module.fail_json(msg="the password is empty or contains a line break")
    spot = ""
    try:
        found, flags = read_entry(module, name)
    except OSError:
        # Without Samba nobody has a password for it.
        found, flags = "", ""
        if wanted and not params["fresh"]:
            spot = "Samba is not there yet; an earlier step is assumed to bring it"
    known, same = found, bool(found) and secrets.compare_digest(found, nt_hash(password))
    if params["fresh"]:
        known, same = "", False
    off = "D" in flags
    before = "" if not known else f"password: {'(set)' if same else '(other)'}\n" + ("disabled\n" if off else "")
    after = "password: (set)\n" if wanted else ""
    header = f"samba user {name}"
    diff = {"before": before, "after": after, "before_header": header, "after_header": header}
    result: dict[str, Any] = {"changed": before != after, "diff": diff}
    if spot and module.check_mode:
        result["blind_spot"] = spot
    if before == after or module.check_mode:
        module.exit_json(**result)
    try:
        if wanted:
            rc, _out, err = run(module, ["smbpasswd", "-s", "-a", name], f"{password}\n{password}\n")
            if rc == 0:
                rc, _out, err = run(module, ["smbpasswd", "-e", name])
        else:
            rc, _out, err = run(module, ["smbpasswd", "-x", name])
    except OSError as error:
        module.fail_json(msg=f"Samba's tools cannot be started: {error.strerror}")
    if rc != 0:
        module.fail_json(msg=f"smbpasswd failed: {err.strip()}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
