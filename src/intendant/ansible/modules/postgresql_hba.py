#!/usr/bin/python
"""Compute the content of an access file for PostgreSQL; changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_hba
short_description: Content for an access file (pg_hba) of one's own
description:
  - Returns what the file O(path) shall contain, to be written by M(managed_file). Nothing is changed.
  - First comes a line that keeps the operating system's user C(postgres) able to log in, then the rules that O(path)
    has, changed by O(rules), then the rules of the file that the distribution made (O(shipped)), without its comments.
  - A rule is known by its type, database, user and address. A new one is added at the end of one's own.
options:
  path:
    description: The file whose content is wanted; it need not exist.
    type: str
    required: true
  shipped:
    description: The access file that the distribution made.
    type: str
    required: true
  rules:
    description: Each has C(type), C(database), C(user), C(address), C(method) and C(state).
    type: list
    elements: dict
    required: true
  exclusive:
    description: Drop one's own rules that O(rules) does not name.
    type: bool
    default: false
  fresh:
    description:
      - The caller knows that an earlier step of the same run brings the server. O(shipped) is then taken to be what
        Debian ships, in both modes, unless it was there before.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Let the application in
  ansible.legacy.postgresql_hba:
    path: /etc/postgresql/17/main/intendant_hba.conf
    shipped: /etc/postgresql/17/main/pg_hba.conf
    rules: [{type: host, database: shop, user: shop, address: 10.0.0.0/8, method: scram-sha-256, state: present}]
"""

RETURN = r"""
content: {description: What the file shall contain., type: str, returned: always}
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HEAD = """\
# Written by the role postgresql. The first rule that fits a connection decides.
local all postgres peer
# Rules of the role
"""
TAIL = "# Rules of pg_hba.conf\n"
DEBIAN = """\
local all postgres peer
local all all peer
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
local replication all peer
host replication all 127.0.0.1/32 scram-sha-256
host replication all ::1/128 scram-sha-256
"""


def normalise(text: str) -> list[str]:
    """Return the rules of an access file, one blank between words."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def own_rules(text: str) -> list[str]:
    """Return the rules between the two marks."""
    return normalise(text.partition(HEAD)[2].partition(TAIL)[0])


def key_of(rule: str) -> tuple[str, ...]:
    """Return what a connection is compared with; only the way of proving who one is may differ."""
    return tuple(rule.split()[:-1])


def merge(present: list[str], rules: list[dict[str, Any]], exclusive: bool) -> list[str]:
    """Return the role's own rules as they shall be."""
    kept = {} if exclusive else {key_of(rule): rule for rule in present}
    for rule in rules:
        words = [rule["type"], rule["database"], rule["user"], rule["address"], rule["method"]]
        line = " ".join(word for word in words if word)
        if rule["state"] == "absent":
            kept.pop(key_of(line), None)
        else:
            kept[key_of(line)] = line
    return list(kept.values())


def read(path: str) -> str | None:
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def build(own: str | None, shipped: str | None, rules: list[dict[str, Any]], exclusive: bool) -> str:
    lines = merge(own_rules(own or ""), rules, exclusive)
    base = normalise(DEBIAN if shipped is None else shipped)
    return HEAD + "".join(f"{line}\n" for line in lines) + TAIL + "".join(f"{line}\n" for line in base)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "shipped": {"type": "str", "required": True},
            "rules": {"type": "list", "elements": "dict", "required": True},
            "exclusive": {"type": "bool", "default": False},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    shipped = read(params["shipped"])
    if shipped is None and not params["fresh"]:
        module.fail_json(msg=f"there is no {params['shipped']}, so who may log in now is not known")
    content = build(read(params["path"]), shipped, params["rules"], params["exclusive"])
    module.exit_json(changed=False, content=content)


if __name__ == "__main__":
    main()
