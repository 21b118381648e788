#!/usr/bin/python
"""Keep the line of /etc/hosts that names the host itself, without losing other names on it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hosts_entry
short_description: The line of /etc/hosts that names the host itself
description:
  - Gives O(address) the O(names), first the canonical one. Other names and comments on its line stay.
  - The name that the host has while the module runs is taken away, also with a domain, when O(names) lacks it. So is
    the first label of O(names) with another domain.
  - A missing line is added below the last one of the loopback addresses.
options:
  address:
    description: The address.
    type: str
    default: 127.0.1.1
  names:
    description: Names of the host, first the canonical one.
    type: list
    elements: str
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Let the host know itself
  ansible.legacy.hosts_entry:
    names: [web1.example.org, web1]
"""

RETURN = r"""
line: {description: The line, type: str, returned: always}
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

HOSTS = "/etc/hosts"


def fields_of(line: str) -> list[str]:
    """Return address and names of a line; nothing for comments and empty lines."""
    return line.partition("#")[0].split()


def edit(text: str, address: str, names: list[str], old: str) -> tuple[str, str]:
    """Return the new text and the line of the address in it. `old` is the name that the host has had."""
    lines = text.splitlines()
    retired = {old.split(".")[0], names[-1].split(".")[0]}

    def stays(alias: str) -> bool:
        return alias not in names and alias != old and alias.split(".")[0] not in retired

    at = next((number for number, line in enumerate(lines) if fields_of(line)[:1] == [address]), None)
    if at is None:
        line = f"{address}\t{' '.join(names)}"
        loopback = [number for number, had in enumerate(lines) if had.startswith("127.")]
        lines.insert(loopback[-1] + 1 if loopback else 0, line)
    else:
        found, comment = fields_of(lines[at]), lines[at].partition("#")[1:]
        wanted = [address, *names, *filter(stays, found[1:])]
        if found == wanted:
            return text, lines[at]
        line = lines[at] = f"{address}\t{' '.join(wanted[1:])}" + (f" {''.join(comment)}" if comment[0] else "")
    return "".join(f"{line}\n" for line in lines), line


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "default": "127.0.1.1"},
            "names": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        with open(HOSTS, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    after, line = edit(text, module.params["address"], module.params["names"], os.uname().nodename)
    result = {"changed": after != text, "line": line}
    result["diff"] = {"before": text, "after": after, "before_header": HOSTS, "after_header": HOSTS}
    if result["changed"] and not module.check_mode:
        handle, beside = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(after)
        created = not os.path.exists(HOSTS)
        module.atomic_move(beside, HOSTS)
        if created:
            os.chmod(HOSTS, 0o644)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
