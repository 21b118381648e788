#!/usr/bin/python
"""Tell by which ssh connection Ansible came in, also from behind sudo."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_login
short_description: The ssh connection that Ansible came in by
description:
  - Looks for C(SSH_CONNECTION) in the environment of this process and of the ones that started it, since sudo and su
    take it away. Changes nothing, and says the same in check mode.
options:
  required:
    description: Fail when there is no such connection. Leave it off where Ansible may run on the host itself.
    type: bool
    default: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Find out how Ansible came in
  ansible.legacy.ssh_login:
  register: login
"""

RETURN = r"""
connection: {description: Client address and port, server address and port; empty if none., type: str, returned: always}
client: {description: Address that the connection comes from; empty if none., type: str, returned: always}
port:
  description: Port of the host that it came to. Without a connection the one that sshd is set to; 0 if none.
  type: int
  returned: always
user: {description: Name of the user who logged in; empty if none., type: str, returned: always}
method: {description: How they proved who they are, as publickey; empty if unknown, type: str, returned: always}
"""

import os
import pwd
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

PROC = "/proc"
SHELL_TAGS = ("--identifier=sshd", "--identifier=sshd-session")


def read_environment(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with; empty where it cannot be read."""
    try:
        with open(f"{PROC}/{pid}/environ", "rb") as handle:
            pairs = handle.read().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def find_parent(pid: int) -> int:
    """Return the parent's number, 0 where there is none."""
    try:
        with open(f"{PROC}/{pid}/stat", encoding="utf-8", errors="replace") as handle:
            # The name, in parentheses, may contain anything.
            return int(handle.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def find_connection(pid: int) -> tuple[str, int]:
    """Return SSH_CONNECTION as the nearest process has it, and the outermost process with the same value."""
    connection, holder = "", 0
    while pid > 1:
        value = read_environment(pid).get("SSH_CONNECTION", "")
        if value and value == (connection or value):
            connection, holder = value, pid
        pid = find_parent(pid)
    return connection, holder


def split_connection(connection: str) -> dict[str, Any]:
    """Take the four parts apart; a link-local address loses its interface."""
    parts = connection.split()
    if len(parts) != 4 or not parts[3].isdigit():
        return {"connection": "", "client": "", "port": 0}
    return {"connection": connection, "client": parts[0].partition("%")[0], "port": int(parts[3])}


def find_method(journal: str, connection: str, user: str) -> str:
    """Find how this connection was let in, in what sshd wrote to the journal."""
    client, port = connection.split()[:2]
    accepted = rf"^Accepted (\S+) for {re.escape(user)} from {re.escape(client)} port {port} ssh2"
    found = re.findall(accepted, journal, re.MULTILINE)
    return str(found[-1]) if found else ""


def find_port(module: AnsibleModule) -> int:
    """Ask sshd for the first port that it is set to."""
    program = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"])
    out = module.run_command([program, "-T"], expand_user_and_vars=False)[1] if program else ""
    found = re.search(r"^port ([0-9]+)$", out, re.MULTILINE)
    return int(found[1]) if found else 0


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "required": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    connection, holder = find_connection(os.getpid())
    result = {**split_connection(connection), "user": "", "method": ""}
    if not result["connection"]:
        if module.params["required"]:
            module.fail_json(
                msg="it cannot be told by which ssh connection Ansible came in, so it cannot be kept open; become by"
                " sudo, su or doas keeps it known"
            )
        result["port"] = find_port(module)
        module.exit_json(changed=False, **result)
    try:
        result["user"] = pwd.getpwuid(os.stat(f"{PROC}/{holder}").st_uid).pw_name
    except (OSError, KeyError):
        module.fail_json(msg="the user who logged in has no name on this host")
    argv = ["journalctl", *SHELL_TAGS, "--boot", "--lines=2000", "--output=cat", "--no-pager", "--quiet"]
    journal = module.run_command(argv, environ_update={"LC_ALL": "C"}, expand_user_and_vars=False)[1]
    result["method"] = find_method(journal, connection, result["user"])
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
