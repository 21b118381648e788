#!/usr/bin/python
"""Bring databases and users of a MariaDB server to a desired state, predictable before the server is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mariadb_objects
short_description: Databases, users and privileges of a MariaDB server
description:
  - Creates, changes and drops databases and users through C(mariadb), as the account C(root) over the socket.
  - What is not named is left alone. Each object that changes has a diff of its own; one that is dropped has an empty
    one afterwards.
  - A new user cannot log in until it has a password; see M(mariadb_password).
options:
  databases:
    description: Each has C(name), and may have C(state) (C(present) or C(absent)), C(encoding) and C(collation).
    type: list
    elements: dict
    default: []
  users:
    description:
      - Each has C(name), and may have C(host), C(state) and C(privileges), a list of C(database) and C(privileges).
      - The privileges are the whole list of what the user may do in that database, or on the server if it is V(*).
    type: list
    elements: dict
    default: []
  fresh:
    description:
      - The caller knows that an earlier step of the same run brings the server. Before the run nothing of it then
        counts as there, in both modes.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: A database and a user for it
  ansible.legacy.mariadb_objects:
    databases: [{name: shop}]
    users: [{name: shop, privileges: [{database: shop, privileges: [ALL]}]}]
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import json
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

CLIENT = [
    "mariadb", "--no-defaults", "--protocol=socket", "--socket=/run/mysqld/mysqld.sock", "--user=root", "--batch",
    "--skip-column-names", "--raw", "--binary-mode", "--default-character-set=utf8mb4",
]  # fmt: skip
DATA = "/var/lib/mysql"
# What ALL means in one database, in every version; newer ones have more.
ALL = set(
    "SELECT,INSERT,UPDATE,DELETE,CREATE,DROP,REFERENCES,INDEX,ALTER,CREATE TEMPORARY TABLES,LOCK TABLES,EXECUTE,"
    "CREATE VIEW,SHOW VIEW,CREATE ROUTINE,ALTER ROUTINE,EVENT,TRIGGER,DELETE HISTORY".split(",")
)
# Collations that every version has, so that a server that is yet to come needs no blind spot for them.
COMMON = set(
    "utf8mb4_bin utf8mb4_general_ci utf8mb4_unicode_ci utf8mb4_unicode_520_ci utf8mb3_bin utf8mb3_general_ci "
    "utf8mb3_unicode_ci latin1_bin latin1_general_ci latin1_general_cs latin1_swedish_ci ascii_bin ascii_general_ci "
    "binary".split()
)
READ = """
SELECT JSON_OBJECT('kind', 'database', 'name', SCHEMA_NAME, 'encoding', DEFAULT_CHARACTER_SET_NAME,
  'collation', DEFAULT_COLLATION_NAME) FROM information_schema.SCHEMATA;
SELECT JSON_OBJECT('kind', 'collation', 'name', FULL_COLLATION_NAME)
  FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY;
SELECT JSON_OBJECT('kind', 'user', 'name', CONCAT(QUOTE(User), '@', QUOTE(Host))) FROM mysql.global_priv
  WHERE Host != '';
SELECT JSON_OBJECT('kind', 'grant', 'user', GRANTEE, 'place', TABLE_SCHEMA, 'privilege', PRIVILEGE_TYPE)
  FROM information_schema.SCHEMA_PRIVILEGES;
SELECT JSON_OBJECT('kind', 'grant', 'user', GRANTEE, 'place', '*', 'privilege', PRIVILEGE_TYPE)
  FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE != 'USAGE';
"""


def quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def account(item: dict[str, Any]) -> str:
    return f"{quote(item['name'])}@{quote(item['host'])}"


def escape(database: str) -> str:
    """Write the name as a pattern that fits it alone, as grants have it."""
    return "*" if database == "*" else "".join("\\" + c if c in "_%\\" else c for c in database)


class Server:
    """The running server, asked through its client."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module

    def run(self, sql: str) -> tuple[int, str, str]:
        rc, out, err = self.module.run_command(
            CLIENT, data=sql, cwd="/", environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
        )
        return rc, out, err

    def must(self, sql: str) -> None:
        rc, _out, err = self.run(sql)
        if rc != 0:
            self.module.fail_json(msg=f"MariaDB refuses: {err.strip()}")

    def read(self) -> dict[str, Any] | None:
        """Return what there is; nothing if the server does not answer."""
        rc, out, err = self.run(READ)
        if rc != 0 and self.module.check_mode:
            return None
        if rc != 0:
            self.module.fail_json(msg=f"MariaDB does not answer: {err.strip()}")
        return parse(out)


def parse(output: str) -> dict[str, Any]:
    """Return databases by name, privileges by account and place, and the names of the collations."""
    found: dict[str, Any] = {"databases": {}, "users": {}, "collations": set()}
    for line in output.splitlines():
        row = json.loads(line)
        if row["kind"] == "database":
            found["databases"][row["name"]] = {"encoding": row["encoding"], "collation": row["collation"]}
        elif row["kind"] == "collation":
            found["collations"].add(row["name"])
        elif row["kind"] == "user":
            found["users"].setdefault(row["name"], {})
        else:
            found["users"].setdefault(row["user"], {}).setdefault(row["place"], set()).add(row["privilege"])
    return found


def key_of(item: dict[str, Any]) -> str:
    """Return the name of an object as the server tells it."""
    return f"'{item['name']}'@'{item['host']}'" if "host" in item else str(item["name"])


def is_all(place: str, held: set[str], everything: set[str]) -> bool:
    """Tell whether these are all privileges; on the server, all are what root has."""
    known = everything if place == "*" else ALL
    return "ALL" in held or (bool(known) and held >= known)


def describe_user(item: dict[str, Any], user: dict[str, Any] | None) -> str:
    """Render what was asked for."""
    if user is None:
        return ""
    lines = [f"user: {item['name']}@{item['host']}"]
    for grant in item["privileges"]:
        if held := user.get(escape(grant["database"])):
            lines.append(f"privileges on {grant['database']}: {', '.join(sorted(held))}")
    return "".join(f"{line}\n" for line in lines)


def describe_database(item: dict[str, Any], database: dict[str, Any] | None) -> str:
    """Render what was asked for; the rest is the server's business and not known before it is there."""
    if database is None:
        return ""
    lines = [f"database: {item['name']}"]
    lines += [f"{key}: {database[key]}" for key in ("encoding", "collation") if item[key]]
    return "".join(f"{line}\n" for line in lines)


def merge_user(item: dict[str, Any], found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the user as it shall be."""
    if item["state"] == "absent":
        return None
    return {**(found or {}), **{escape(grant["database"]): set(grant["privileges"]) for grant in item["privileges"]}}


def merge_database(item: dict[str, Any], found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the database as it shall be."""
    if item["state"] == "absent":
        return None
    return {**(found or {}), **{key: item[key] for key in ("encoding", "collation") if item[key]}}


def summarise(user: dict[str, Any] | None, everything: set[str]) -> dict[str, Any] | None:
    """Call all privileges of a place by one name."""
    if user is None:
        return None
    return {place: {"ALL"} if is_all(place, held, everything) else held for place, held in user.items()}


def write_user(
    item: dict[str, Any], found: dict[str, Any] | None, wanted: dict[str, Any] | None, everything: set[str]
) -> str:
    """Return the SQL that makes one of the other."""
    if wanted is None:
        return f"DROP USER {account(item)};\n"
    # No password has this as its hash.
    sql = (
        ""
        if found is not None
        else f"CREATE USER {account(item)} IDENTIFIED VIA mysql_native_password USING 'invalid';\n"
    )
    for place, privileges in wanted.items():
        held = (found or {}).get(place, set())
        where = "*.*" if place == "*" else f"{quote(place)}.*"
        if "ALL" in privileges:
            sql += "" if is_all(place, held, everything) else f"GRANT ALL PRIVILEGES ON {where} TO {account(item)};\n"
            continue
        if extra := sorted(held - privileges):
            sql += f"REVOKE {', '.join(extra)} ON {where} FROM {account(item)};\n"
        if missing := sorted(privileges - held):
            sql += f"GRANT {', '.join(missing)} ON {where} TO {account(item)};\n"
    return sql


def write_database(item: dict[str, Any], found: dict[str, Any] | None, wanted: dict[str, Any] | None) -> str:
    if wanted is None:
        return f"DROP DATABASE {quote(item['name'])};\n"
    sql = f"{'CREATE' if found is None else 'ALTER'} DATABASE {quote(item['name'])}"
    sql += f" CHARACTER SET {item['encoding']}" if item["encoding"] else ""
    sql += f" COLLATE {item['collation']}" if item["collation"] else ""
    return f"{sql};\n"


def find_blind_spots(module: AnsibleModule, databases: list[dict[str, Any]]) -> list[str]:
    if not module.params["fresh"]:
        return ["MariaDB does not run, so what it holds was not seen"]
    told = "holds data of an earlier installation, which can only be read once MariaDB is installed"
    spots = [f"{DATA} {told}"] if os.path.isdir(f"{DATA}/mysql") else []
    for name in sorted({item["collation"] for item in databases if item["collation"]} - COMMON):
        spots.append(f"whether MariaDB will have the collation {name} is known once it is installed")
    return spots


def complete(item: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """Return the item with everything that may be left out."""
    given = {key: value for key, value in item.items() if value is not None}
    return {"state": "present", **optional, **given}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "databases": {"type": "list", "elements": "dict", "default": []},
            "users": {"type": "list", "elements": "dict", "default": []},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    fresh = module.params["fresh"]
    optional: dict[str, Any] = {"encoding": None, "collation": None}
    databases = [complete(item, optional) for item in module.params["databases"]]
    users = [complete(item, {"host": "localhost", "privileges": []}) for item in module.params["users"]]
    for item in users:
        item["privileges"] = [{"privileges": ["ALL"], **grant} for grant in item["privileges"]]
    server = Server(module)
    there = server.read() if not (fresh and module.check_mode) else None
    spots = find_blind_spots(module, databases) if there is None else []
    there = there or {"databases": {}, "users": {}, "collations": set()}
    for item in databases:
        if item["collation"] and there["collations"] and item["collation"] not in there["collations"]:
            module.fail_json(msg=f"this MariaDB has no collation {item['collation']}")
    everything: set[str] = there["users"].get("'root'@'localhost'", {}).get("*", set())

    diffs, statements = [], []
    for kind, items in (("database", databases), ("user", users)):
        for item in items:
            found = there[f"{kind}s"].get(key_of(item))
            # Of a server that came in this run check mode saw nothing.
            seen = None if fresh and item["state"] == "present" else found
            if kind == "database":
                before, after = describe_database(item, seen), describe_database(item, merge_database(item, seen))
                sql = write_database(item, found, merge_database(item, found))
            else:
                before = describe_user(item, summarise(seen, everything))
                after = describe_user(item, summarise(merge_user(item, seen), everything))
                sql = write_user(item, found, merge_user(item, found), everything)
            if before != after:
                header = f"MariaDB {kind} {item['name']}" + (f"@{item['host']}" if kind == "user" else "")
                diffs.append({"before": before, "after": after, "before_header": header, "after_header": header})
                statements.append(sql)
    result: dict[str, Any] = {"changed": bool(diffs), "diff": diffs}
    if spots:
        result["blind_spot"] = "; ".join(spots)
    if not module.check_mode:
        for sql in statements:
            server.must(sql)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
