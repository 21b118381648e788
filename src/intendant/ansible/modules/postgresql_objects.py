#!/usr/bin/python
"""Bring users and databases of a PostgreSQL cluster to a desired state, predictable before the server is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_objects
short_description: Users, databases and extensions of a PostgreSQL cluster
description:
  - Creates, changes and drops users and databases through C(psql), as the operating system's user C(postgres).
  - What is not named is left alone. Each object that changes has a diff of its own; one that is dropped has an empty
    one afterwards.
options:
  version:
    description: Major version of the cluster; it is the one that Debian calls C(main).
    type: str
    required: true
  users:
    description:
      - Each has C(name), and may have C(state) (C(present) or C(absent)), C(login), C(attributes) and C(roles).
      - C(attributes) is the whole list of those it shall have; C(roles) are granted in addition to others.
    type: list
    elements: dict
    default: []
  databases:
    description: Each has C(name), and may have C(state), C(owner), C(encoding) and C(extensions).
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
- name: A database and its owner
  ansible.legacy.postgresql_objects: {version: "17", users: [{name: shop}], databases: [{name: shop, owner: shop}]}
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import json
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ATTRIBUTES = {
    "superuser": "rolsuper", "createdb": "rolcreatedb", "createrole": "rolcreaterole", "replication": "rolreplication",
    "bypassrls": "rolbypassrls",
}  # fmt: skip
# What Debian's package of the server itself contains, so that a server that is yet to come needs no blind spot for it.
SHIPPED = set(
    "amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw "
    "fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache "
    "pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks "
    "pgstattuple plpgsql postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent "
    "uuid-ossp xml2".split()
)
READ = f"""
SELECT json_build_object(
  'extensions', (SELECT json_agg(name) FROM pg_available_extensions),
  'users', (SELECT json_object_agg(rolname, json_build_object(
      'login', rolcanlogin,
      'attributes', array_remove(ARRAY[{", ".join(f"CASE WHEN {c} THEN '{n}' END" for n, c in ATTRIBUTES.items())}],
        NULL),
      'roles', (SELECT coalesce(json_agg(g.rolname), '[]') FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
        WHERE m.member = r.oid),
      'used_in', (SELECT coalesce(json_agg(DISTINCT coalesce(a.datname, b.datname, '')), '[]') FROM pg_shdepend s
        LEFT JOIN pg_database a ON a.oid = s.dbid
        LEFT JOIN pg_database b ON s.classid = 'pg_database'::regclass AND b.oid = s.objid
        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid)
    )) FROM pg_roles r),
  'databases', (SELECT json_object_agg(datname, json_build_object(
      'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding))) FROM pg_database))
"""


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Server:
    """The running cluster, asked through psql."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, self.name = module, f"{module.params['version']}/main"

    def run(self, sql: str, database: str = "postgres") -> tuple[int, str, str]:
        argv = ["runuser", "-u", "postgres", "--", "psql", "--cluster", self.name, "-XAtq", "-v", "ON_ERROR_STOP=1"]
        rc, out, err = self.module.run_command(
            [*argv, "-d", database], data=sql, cwd="/", environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
        )
        return rc, out, err

    def must(self, sql: str, database: str = "postgres") -> str:
        rc, out, err = self.run(sql, database)
        return out if rc == 0 else self.module.fail_json(msg=f"PostgreSQL refuses: {err.strip()}")

    def read(self, databases: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Return what there is; nothing if the server does not answer."""
        rc, out, err = self.run(READ)
        if rc != 0 and self.module.check_mode:
            return None
        if rc != 0:
            self.module.fail_json(msg=f"PostgreSQL {self.name} does not answer: {err.strip()}")
        found: dict[str, Any] = json.loads(out)
        for item in databases:
            database = found["databases"].get(item["name"])
            if database and item["extensions"] and item["state"] == "present":
                names = self.must("SELECT json_agg(extname) FROM pg_extension", item["name"])
                database["extensions"] = json.loads(names)
        return found


def describe_user(item: dict[str, Any], user: dict[str, Any] | None) -> str:
    if user is None:
        return ""
    lines = [f"user: {item['name']}", f"login: {'yes' if user['login'] else 'no'}"]
    lines += [f"{key}: {', '.join(sorted(user[key]))}" for key in ("attributes", "roles") if user[key]]
    return "".join(f"{line}\n" for line in lines)


def describe_database(item: dict[str, Any], database: dict[str, Any] | None) -> str:
    """Render what was asked for; the rest is the server's business and not known before it is there."""
    if database is None:
        return ""
    lines = [f"database: {item['name']}", f"owner: {database['owner']}"]
    lines += [f"encoding: {database['encoding']}"] if item["encoding"] else []
    extensions = [name for name in item["extensions"] if name in database.get("extensions", ())]
    lines += [f"extensions: {', '.join(extensions)}"] if extensions else []
    return "".join(f"{line}\n" for line in lines)


def merge_user(item: dict[str, Any], found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the user as it shall be."""
    if item["state"] == "absent":
        return None
    old = found or {"login": True, "attributes": [], "roles": []}
    return {
        "login": old["login"] if item["login"] is None else item["login"],
        "attributes": old["attributes"] if item["attributes"] is None else item["attributes"],
        "roles": sorted({*old["roles"], *item["roles"]}),
    }


def merge_database(item: dict[str, Any], found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the database as it shall be."""
    if item["state"] == "absent":
        return None
    old = found or {"owner": "postgres", "encoding": item["encoding"]}
    extensions = {*old.get("extensions", ()), *item["extensions"]}
    return {"owner": item["owner"] or old["owner"], "encoding": old["encoding"], "extensions": extensions}


def write_user(name: str, found: dict[str, Any] | None, wanted: dict[str, Any] | None) -> str:
    """Return the SQL that makes one of the other; memberships come when every user is there."""
    if wanted is None:
        return f"DROP ROLE {quote(name)};\n"
    flags = ["LOGIN" if wanted["login"] else "NOLOGIN"]
    flags += [("" if name in wanted["attributes"] else "NO") + name.upper() for name in ATTRIBUTES]
    return f"{'ALTER' if found else 'CREATE'} ROLE {quote(name)} {' '.join(flags)};\n"


def write_database(item: dict[str, Any], found: dict[str, Any] | None, wanted: dict[str, Any] | None) -> str:
    name = quote(item["name"])
    if wanted is None:
        return f"DROP DATABASE {name} WITH (FORCE);\n"
    if found:
        return f"ALTER DATABASE {name} OWNER TO {quote(wanted['owner'])};\n"
    sql = f"CREATE DATABASE {name} OWNER {quote(wanted['owner'])}"
    if item["encoding"]:
        # Only the locale C goes with every encoding, and only template0 with another than its own.
        locale = " LOCALE 'C'" if item["encoding"] != "UTF8" else ""
        sql += f" TEMPLATE template0 ENCODING '{item['encoding']}'{locale}"
    return f"{sql};\n"


def find_refusal(found: dict[str, Any], users: list[dict[str, Any]], databases: list[dict[str, Any]]) -> str:
    """Say what the server would refuse, so that check mode refuses it too."""
    known = {*found["users"], *(item["name"] for item in users)}
    known -= {item["name"] for item in users if item["state"] == "absent"}
    dropped = {item["name"] for item in databases if item["state"] == "absent"}
    for item in users:
        if missing := [role for role in item["roles"] if role not in known and not role.startswith("pg_")]:
            return f"the user {item['name']} cannot get the role {missing[0]}: there is none of this name"
        uses = sorted(set(found["users"].get(item["name"], {}).get("used_in", ())) - dropped)
        if item["state"] == "absent" and uses:
            held = f"it owns things or has rights in the database {uses[0]}"
            return f"the user {item['name']} cannot be dropped: {held}; drop that too, or give it another owner first"
    for item in databases:
        if item["state"] == "absent":
            continue
        database = found["databases"].get(item["name"])
        if item["owner"] and item["owner"] not in known:
            return f"the database {item['name']} cannot belong to {item['owner']}: there is no user of this name"
        if database and item["encoding"] and item["encoding"] != database["encoding"]:
            return f"the database {item['name']} has the encoding {database['encoding']}, which cannot be changed"
        available = found["extensions"]
        if available is not None and (lacking := sorted(set(item["extensions"]) - set(available))):
            return f"this server has no extension {lacking[0]}; install its package first"
    return ""


def find_blind_spots(module: AnsibleModule, databases: list[dict[str, Any]]) -> list[str]:
    params = module.params
    if not params["fresh"]:
        return [f"PostgreSQL {params['version']} does not run, so what it holds was not seen"]
    kept = f"/var/lib/postgresql/{params['version']}/main"
    told = f"{kept} holds data of an earlier installation, which can only be read once PostgreSQL is installed"
    spots = [told] if os.path.isdir(kept) else []
    for name in sorted({name for item in databases for name in item["extensions"]} - SHIPPED):
        spots.append(f"whether PostgreSQL will have the extension {name} is known once it is installed")
    return spots


def complete(item: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """Return the item with everything that may be left out."""
    given = {key: value for key, value in item.items() if value is not None}
    return {"state": "present", **optional, **given}


def apply(server: Server, changes: list[tuple[str, dict[str, Any], Any, Any]]) -> None:
    """Users come before what they own, and go after it."""
    kept = [change for change in changes if change[3] is not None]
    gone = [change for change in changes if change[2] is not None and change[3] is None]
    for kind, item, old, new in kept:
        if kind == "user":
            server.must(write_user(item["name"], old, new))
    for kind, item, old, new in kept:
        if kind == "user":
            for role in sorted(set(new["roles"]) - set(old["roles"] if old else ())):
                server.must(f"GRANT {quote(role)} TO {quote(item['name'])};")
        else:
            if old is None or old["owner"] != new["owner"]:
                server.must(write_database(item, old, new))
            for name in sorted(new["extensions"] - set(old.get("extensions", ()) if old else ())):
                server.must(f"CREATE EXTENSION IF NOT EXISTS {quote(name)} CASCADE;", item["name"])
    for kind, item, old, new in sorted(gone, key=lambda change: change[0]):
        server.must(write_user(item["name"], old, new) if kind == "user" else write_database(item, old, new))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "users": {"type": "list", "elements": "dict", "default": []},
            "databases": {"type": "list", "elements": "dict", "default": []},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    fresh = module.params["fresh"]
    users = [complete(item, {"login": None, "attributes": None, "roles": []}) for item in module.params["users"]]
    optional: dict[str, Any] = {"owner": None, "encoding": None, "extensions": []}
    databases = [complete(item, optional) for item in module.params["databases"]]
    server = Server(module)
    nothing: dict[str, Any] = {"users": {"postgres": {}}, "databases": {}, "extensions": None}
    there = server.read(databases) if not (fresh and module.check_mode) else None
    spots = find_blind_spots(module, databases) if there is None else []
    if (there or not spots) and (refusal := find_refusal(there or nothing, users, databases)):
        module.fail_json(msg=refusal)

    changes, diffs = [], []
    kinds: list[tuple[str, list[dict[str, Any]], Any, Any]] = [
        ("user", users, merge_user, describe_user),
        ("database", databases, merge_database, describe_database),
    ]
    for kind, items, merge, describe in kinds:
        for item in items:
            found = (there or nothing)[f"{kind}s"].get(item["name"])
            # Of a server that came in this run check mode saw nothing.
            seen = None if fresh and item["state"] == "present" else found
            before, after = describe(item, seen), describe(item, merge(item, seen))
            if before != after:
                header = f"PostgreSQL {kind} {item['name']}"
                diffs.append({"before": before, "after": after, "before_header": header, "after_header": header})
                changes.append((kind, item, found, merge(item, found)))
    result: dict[str, Any] = {"changed": bool(diffs), "diff": diffs}
    if spots:
        result["blind_spot"] = "; ".join(spots)
    if not module.check_mode:
        apply(server, changes)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
