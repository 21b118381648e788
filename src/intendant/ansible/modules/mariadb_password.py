#!/usr/bin/python
"""Set the password of a MariaDB user without showing it to anybody, the server and its log included."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mariadb_password
short_description: Password of a MariaDB user, compared with its hash
description:
  - Compares the hash of the password (C(mysql_native_password)) with what the server stores and replaces that only if
    it differs, so that running it again changes nothing. Other ways to log in that the user has are replaced with it.
  - The hash is computed here. The password itself is sent nowhere, and the hash is in no argument.
options:
  name:
    description: Name of the user.
    type: str
    required: true
  host:
    description: Where it logs in from, the other half of its name.
    type: str
    default: localhost
  password:
    description: The password, or its hash.
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
  ansible.legacy.mariadb_password:
    name: shop
    password: "{{ vault_shop_password }}"
  no_log: true
"""

RETURN = r"""
"""

import hashlib
import hmac
import json
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

CLIENT = [
    "mariadb", "--no-defaults", "--protocol=socket", "--socket=/run/mysqld/mysqld.sock", "--user=root", "--batch",
    "--skip-column-names", "--raw", "--binary-mode", "--default-character-set=utf8mb4",
]  # fmt: skip
HASH = re.compile(r"\*[0-9A-F]{40}\Z")


def make_hash(password: str) -> str:
    """Return what the server stores for a password; a hash is taken as it is."""
    if HASH.match(password):
        return password
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def read_ways(privileges: str) -> list[str]:
    """Return the ways that a user has to log in, hashes and names of plugins; those that never work are left out."""
    told: dict[str, Any] = json.loads(privileges or "{}")
    # The empty one stands for what is told outside of the list.
    ways = [way or told for way in told.get("auth_or", [told])]
    found = []
    for way in ways:
        plugin, stored = way.get("plugin", ""), way.get("authentication_string", "")
        if plugin not in ("", "mysql_native_password"):
            found.append(plugin)
        elif stored != "invalid" and privileges:
            found.append(stored)
    return found


def run(module: AnsibleModule, sql: str) -> str:
    rc, out, err = module.run_command(
        CLIENT, data=sql, cwd="/", environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
    )
    if rc != 0 and not module.check_mode:  # there the server may not run yet; mariadb_objects says so
        # An error may quote the statement.
        told = re.sub(r"\*[0-9A-Fa-f]{40}", "(hash)", err.splitlines()[0] if err else "")
        module.fail_json(msg=f"MariaDB refuses: {told}")
    return str(out)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "host": {"type": "str", "default": "localhost"},
            "password": {"type": "str", "required": True, "no_log": True},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    name, host, fresh = module.params["name"], module.params["host"], module.params["fresh"]
    password = module.params["password"]
    if not password or "\0" in password:
        module.fail_json(msg=f"the password of {name} is empty or contains a null character")
    wanted = make_hash(password)
    module.no_log_values.add(wanted)
    quoted = [text.replace("\\", "\\\\").replace("'", "''") for text in (name, host)]
    stored: list[str] = []
    if not (fresh and module.check_mode):
        sql = f"SELECT JSON_COMPACT(Priv) FROM mysql.global_priv WHERE User = '{quoted[0]}' AND Host = '{quoted[1]}'"
        stored = read_ways(run(module, sql).strip())
    same = len(stored) == 1 and hmac.compare_digest(stored[0].upper(), wanted)
    changed = fresh or not same
    # The same text in both modes, and for a new user as for one that has no password.
    before = "" if fresh or not stored else "password: (set)\n" if same else "password: (other)\n"
    header = f"MariaDB user {name}@{host}"
    diff = {"before": before, "after": "password: (set)\n", "before_header": header, "after_header": header}
    result: dict[str, Any] = {"changed": changed, "diff": diff}
    if not same and not module.check_mode:
        account = "@".join("`" + text.replace("`", "``") + "`" for text in (name, host))
        run(module, f"SET SESSION sql_log_off = 1;\nALTER USER {account} IDENTIFIED BY PASSWORD '{wanted}';")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
