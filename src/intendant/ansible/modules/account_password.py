#!/usr/bin/python
"""Set the password of a local user without ever showing it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account_password
short_description: Password of a local user, compared on the host
description:
  - Compares the password with the host's own hash and replaces the hash only if it does not match, so that running it
    again changes nothing. The new hash is made on the host with the strongest method it has.
  - Password and hash reach chpasswd through its standard input, and appear in no result.
options:
  name:
    description: Login name.
    type: str
    required: true
  password:
    description: The password, or a crypt hash of it.
    type: str
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Set the password
  ansible.legacy.account_password:
    name: deploy
    password: "{{ vault_deploy_password }}"
  no_log: true
"""

RETURN = r"""
"""

import ctypes
import ctypes.util
import re
import secrets
import string
from functools import partial
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

HASH = re.compile(r"\$(y|gy|7|2[abxy]|6|5|1)\$[./A-Za-z0-9$=,-]{20,}\Z")


def call_crypt(function: Any, password: str, setting: str) -> str:
    return (function(password.encode(), setting.encode()) or b"*").decode()


def load_crypt() -> tuple[Callable[[str, str], str], str]:
    """Return the host's crypt() and a salt for a new hash. Python itself has none since 3.13."""
    names = ["libcrypt.so.1", "libcrypt.so.2", ctypes.util.find_library("crypt"), None]
    for name in dict.fromkeys(names):
        try:
            library = ctypes.CDLL(name)
            function = library.crypt
        except (OSError, AttributeError):
            continue
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_char_p, ctypes.c_char_p]
        salt = "$6$" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))
        if hasattr(library, "crypt_gensalt"):
            library.crypt_gensalt.restype = ctypes.c_char_p
            library.crypt_gensalt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]
            salt = (library.crypt_gensalt(None, 0, None, 0) or salt.encode()).decode()
        return partial(call_crypt, function), salt
    raise OSError("this host has no libcrypt")


def read_hash(name: str) -> str | None:
    with open("/etc/shadow", encoding="utf-8", errors="surrogateescape") as lines:
        return next((line.split(":")[1] for line in lines if line.startswith(f"{name}:")), None)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    name, password = module.params["name"], module.params["password"]
    if not password or re.search(r"[\0\r\n]", password):
        module.fail_json(msg="the password is empty or contains a line break")
    try:
        crypt, salt = load_crypt()
        current = read_hash(name)
    except OSError as error:
        module.fail_json(msg=f"the password cannot be compared: {error}")
    given_hash = HASH.match(password) is not None
    usable = current if current and current[0] not in "!*" else ""
    hashed = password if given_hash or not usable else crypt(password, usable)
    same = bool(usable) and secrets.compare_digest(hashed.encode(), usable.encode())
    # The same text in both modes, and for a new user as for one that has no password.
    before = "" if not usable else "password: (set)\n" if same else "password: (other)\n"
    header = f"user {name}"
    diff = {"before": before, "after": "password: (set)\n", "before_header": header, "after_header": header}
    result: dict[str, Any] = {"changed": not same, "diff": diff}
    if same or module.check_mode:
        module.exit_json(**result)
    if current is None:
        module.fail_json(msg=f"there is no user {name} on this host")
    new = password if given_hash else crypt(password, salt)
    if not HASH.match(new):
        module.fail_json(msg="the host's libcrypt made no usable hash")
    module.no_log_values.add(new)
    rc, _out, err = module.run_command(
        ["chpasswd", "--encrypted"], data=f"{name}:{new}\n", binary_data=True, environ_update={"LC_ALL": "C"}
    )
    if rc != 0:
        module.fail_json(msg=f"chpasswd failed: {err.strip()}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
