#!/usr/bin/python
"""Set the password of a PostgreSQL user without showing it to anybody, the server's log included."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_password
short_description: Password of a PostgreSQL user, compared with its SCRAM verifier
description:
  - Compares the password with the verifier that the server stores and replaces the verifier only if it does not match,
    so that running it again changes nothing.
  - The new verifier is computed here. The password itself is sent nowhere, and the statement is kept out of the
    server's log.
options:
  version:
    description: Major version of the cluster; it is the one that Debian calls C(main).
    type: str
    required: true
  name:
    description: Name of the user.
    type: str
    required: true
  password:
    description: The password, or a SCRAM-SHA-256 verifier of it.
    type: str
    required: true
  fresh:
    description:
      - The caller knows that an earlier step of the same run brings the server. The user then counts as one without a
        password before the run, in both modes.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Set the password
  ansible.legacy.postgresql_password:
    version: "17"
    name: shop
    password: "{{ vault_shop_password }}"
  no_log: true
"""

RETURN = r"""
"""

import base64
import hashlib
import hmac
import re
import secrets
import stringprep
import unicodedata
from typing import Any

from ansible.module_utils.basic import AnsibleModule

VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)\Z")
ITERATIONS = 4096
PROHIBITED = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
    stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
    stringprep.in_table_c9, stringprep.in_table_a1,
)  # fmt: skip


def prepare(password: str) -> bytes:
    """Normalise as SASLprep (RFC 4013) does; what it prohibits is taken as it is, as PostgreSQL takes it."""
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)
    )  # fmt: skip
    text = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    right = [stringprep.in_table_d1(c) for c in text]
    refused = not text or any(test(c) for c in text for test in PROHIBITED)
    if any(right):
        refused = refused or not (right[0] and right[-1]) or any(stringprep.in_table_d2(c) for c in text)
    return (password if refused else text).encode()


def make_verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """Return what the server stores for a password (RFC 5802)."""
    salted = hashlib.pbkdf2_hmac("sha256", prepare(password), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_, stored_, server_ = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${iterations}:{salt_}${stored_}:{server_}"


def matches(password: str, verifier: str) -> bool:
    """Tell whether the password, or the verifier given as one, is what the server stores."""
    if VERIFIER.match(password):
        return hmac.compare_digest(password, verifier)
    found = VERIFIER.match(verifier)
    if not found:
        return False
    expected = make_verifier(password, base64.b64decode(found[2]), int(found[1]))
    return hmac.compare_digest(expected, verifier)


def run(module: AnsibleModule, sql: str) -> str:
    cluster = f"{module.params['version']}/main"
    argv = ["runuser", "-u", "postgres", "--", "psql", "--cluster", cluster, "-XAtq", "-v", "ON_ERROR_STOP=1"]
    rc, out, err = module.run_command(
        [*argv, "-d", "postgres"], data=sql, cwd="/", environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
    )
    if rc != 0 and not module.check_mode:  # there the server may not run yet; postgresql_objects says so
        # An error may quote the statement.
        module.fail_json(msg=f"PostgreSQL refuses: {VERIFIER.sub('(verifier)', err.splitlines()[0] if err else '')}")
    return str(out)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    name, password, fresh = module.params["name"], module.params["password"], module.params["fresh"]
    if not password or "\0" in password:
        module.fail_json(msg=f"the password of {name} is empty or contains a null character")
    text = "'" + name.replace("'", "''") + "'"
    stored = ""
    if not (fresh and module.check_mode):
        stored = run(module, f"SELECT rolpassword FROM pg_authid WHERE rolname = {text}").strip()
    same = bool(stored) and matches(password, stored)
    changed = fresh or not same
    # The same text in both modes, and for a new user as for one that has no password.
    before = "" if fresh or not stored else "password: (set)\n" if same else "password: (other)\n"
    header = f"PostgreSQL user {name}"
    diff = {"before": before, "after": "password: (set)\n", "before_header": header, "after_header": header}
    result: dict[str, Any] = {"changed": changed, "diff": diff}
    if same or module.check_mode:
        module.exit_json(**result)
    verifier = password if VERIFIER.match(password) else make_verifier(password, secrets.token_bytes(16))
    module.no_log_values.add(verifier)
    user = '"' + name.replace('"', '""') + '"'
    quiet = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';"
    quiet += " SET log_min_duration_sample = -1; SET track_activities = off;"
    run(module, f"{quiet}\nALTER ROLE {user} PASSWORD '{verifier}';")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
