#!/usr/bin/python
"""Try settings of sshd on a copy of its whole configuration, and tell whether the login in use would still work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sshd_check
short_description: What sshd makes of changed settings, before they are changed
description:
  - Works out the drop-in files for O(settings), puts them into a copy of the whole configuration, lets C(sshd -t) and
    C(sshd -T) read it, and compares what comes out. Other files may set the same before.
  - Fails when the user who is logged in could not log in again by the same means.
  - Changes nothing, and says the same in check mode. Where there is no sshd yet nothing is tried.
options:
  settings:
    description:
      - C(port), C(password_authentication), C(root_login), C(max_auth_tries), C(allowed_users) and C(allowed_groups).
        What is null or empty is not asked for.
    type: dict
    required: true
  state:
    description: Whether the settings apply or are taken back; V(absent) with none of them takes back all.
    type: str
    choices: [present, absent]
    default: present
  login:
    description: What the module ssh_login has told.
    type: dict
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Try the settings
  ansible.legacy.sshd_check:
    settings: {max_auth_tries: 3}
    login: "{{ login }}"
"""

RETURN = r"""
files: {description: Drop-in files with path and content; null where it has to go., type: list, returned: always}
differs: {description: Whether a file is not as it shall be., type: bool, returned: always}
ports: {description: Ports that sshd would listen on., type: list, returned: always}
"""

import fnmatch
import glob
import grp
import ipaddress
import os
import pwd
import re
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

MAIN, FOLDER = "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"
# The first file that sets something wins, and they are read in the order of their names.
PREFIX = f"{FOLDER}/00-intendant-"
HEAD = "# Written by the role ssh_server of Intendant.\n"
INCLUDE = re.compile(r"^([ \t]*include[ \t=].*)$", re.MULTILINE | re.IGNORECASE)
Settings = dict[str, list[str]]
# Text by path; None where the file has to go.
Files = dict[str, Any]


def make_files(asked: dict[str, Any], login_port: int) -> tuple[dict[str, str], Settings]:
    """Write a file for each setting, so that one can come or go without the others, and what sshd has to make of it."""
    lines: dict[str, list[str]] = {}
    expected: Settings = {}
    if asked.get("port"):
        # The inventory has to follow before the old port may go.
        ports = dict.fromkeys([str(asked["port"]), *([str(login_port)] if login_port else [])])
        lines["port"], expected["port"] = [f"Port {port}" for port in ports], list(ports)
    if asked.get("password_authentication") is not None:
        answer = "yes" if asked["password_authentication"] else "no"
        lines["password"], expected["passwordauthentication"] = [f"PasswordAuthentication {answer}"], [answer]
        if answer == "no":
            # PAM would ask for the password by this way too.
            lines["password"].append("KbdInteractiveAuthentication no")
            expected["kbdinteractiveauthentication"] = ["no"]
    if asked.get("root_login"):
        lines["root"] = [f"PermitRootLogin {asked['root_login']}"]
        expected["permitrootlogin"] = [asked["root_login"].replace("prohibit-", "without-")]
    if asked.get("max_auth_tries"):
        tries = str(asked["max_auth_tries"])
        lines["tries"], expected["maxauthtries"] = [f"MaxAuthTries {tries}"], [tries]
    for kind in ("User", "Group"):
        for name in asked.get(f"allowed_{kind.lower()}s") or []:
            lines[f"{kind.lower()}-{name}"] = [f"Allow{kind}s {name}"]
            expected.setdefault(f"allow{kind.lower()}s", []).append(name)
    files = {f"{PREFIX}{name}.conf": HEAD + "".join(f"{line}\n" for line in told) for name, told in lines.items()}
    return files, expected


def read_file(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def write_file(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as handle:
        handle.write(text)


def copy_configuration(files: Files, folder: str) -> str:
    """Build the configuration as it would be. Returns the path of its main file."""
    there = {path: read_file(path) for path in glob.glob(f"{FOLDER}/*") if os.path.isfile(path)}
    for path, content in {**there, **files}.items():
        if content is not None:
            write_file(f"{folder}/{os.path.basename(path)}", content)
    text = INCLUDE.sub(
        lambda line: re.sub(r"(?:/etc/ssh/|(?<=[\s=\"]))sshd_config\.d/", f"{folder}/", line[1]), read_file(MAIN) or ""
    )
    # Its name has no suffix, so that no pattern takes it for a drop-in.
    write_file(f"{folder}/main", text)
    return f"{folder}/main"


def parse_settings(printed: str) -> Settings:
    """Read what sshd prints; a name may come on several lines."""
    settings: Settings = {}
    for line in printed.splitlines():
        name, _, value = line.partition(" ")
        settings.setdefault(name, []).extend(value.split())
    return settings


def read_ports(settings: Settings) -> list[int]:
    return sorted({int(value.rpartition(":")[2]) for value in settings.get("listenaddress", [])})


def find_unmet(settings: Settings, expected: Settings) -> str:
    """Name the first setting that does not come out as expected; empty if all do."""
    for name, values in expected.items():
        found = [str(port) for port in read_ports(settings)] if name == "port" else settings.get(name, [])
        if missing := [value for value in map(str, values) if value not in found]:
            return f"{name} would not be {' '.join(missing)} but {' '.join(found) or 'unset'}"
    return ""


def is_named(patterns: list[str], user: str, client: str) -> bool:
    """Tell whether a list such as AllowUsers names this user, coming from this address."""
    for pattern in patterns:
        name, _, host = pattern.partition("@")
        if fnmatch.fnmatchcase(user, name) and (not host or fnmatch.fnmatchcase(client, host) or is_in(client, host)):
            return True
    return False


def is_in(client: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(client) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def find_lockout(settings: Settings, login: dict[str, Any], groups: list[str], has_key: bool) -> str:
    """Say why this login would not work again; empty if it would."""
    user, client, method = login["user"], login["client"], login["method"].partition("/")[0]

    def value(name: str) -> str:
        return (settings.get(name) or [""])[0]

    if login["port"] not in read_ports(settings):
        return f"sshd would no longer listen on port {login['port']}, by which Ansible came in"
    if user == "root" and value("permitrootlogin") == "no":
        return "ssh_server_root_login: Ansible itself has logged in as root; let it log in as another user first"
    if user == "root" and value("permitrootlogin") != "yes" and (method == "password" or not has_key):
        return "ssh_server_root_login: Ansible itself has logged in as root without a key; give root an authorized key"
    offered = {
        "password": "passwordauthentication",
        "keyboard-interactive": "kbdinteractiveauthentication",
        "publickey": "pubkeyauthentication",
    }
    if method in offered and value(offered[method]) == "no":
        param = "ssh_server" if method == "publickey" else "ssh_server_password_authentication"
        return (
            f"{param}: Ansible itself has logged in as {user} by {method}, which would no"
            " longer be possible; let it log in by other means first"
        )
    if not method and value("passwordauthentication") == "no" and not has_key:
        return f"ssh_server_password_authentication: {user}, as whom Ansible logs in, has no authorized key"
    allowed, denied = settings.get("allowusers", []), settings.get("denyusers", [])
    if (allowed and not is_named(allowed, user, client)) or is_named(denied, user, client):
        return f"ssh_server_allowed_users: {user}, as whom Ansible logs in, would not be among them"
    allowed, denied = settings.get("allowgroups", []), settings.get("denygroups", [])
    if (allowed and not any(is_named(allowed, group, client) for group in groups)) or any(
        is_named(denied, group, client) for group in groups
    ):
        return f"ssh_server_allowed_groups: {user}, as whom Ansible logs in, would be in none of them"
    return ""


def find_groups(user: str) -> list[str]:
    account = pwd.getpwnam(user)
    return [grp.getgrgid(number).gr_name for number in os.getgrouplist(user, account.pw_gid)]


def has_authorized_key(settings: Settings, user: str) -> bool:
    """Tell whether there is any key by which the user could log in."""
    if (settings.get("authorizedkeyscommand") or ["none"])[0] != "none":
        return True
    account = pwd.getpwnam(user)
    for name in settings.get("authorizedkeysfile", []):
        path = name.replace("%h", account.pw_dir).replace("%u", user).replace("%U", str(account.pw_uid))
        text = read_file(os.path.join(account.pw_dir, path.replace("%%", "%"))) or ""
        if any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
            return True
    return False


class Sshd:
    """The program that reads the configuration."""

    def __init__(self, module: AnsibleModule, program: str, main: str) -> None:
        self.module, self.argv = module, [program, "-f", main]

    def read(self, *arguments: str) -> Settings:
        rc, out, err = self.module.run_command(
            [*self.argv, *arguments], environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
        )
        if rc != 0:
            told = err.replace(os.path.dirname(self.argv[2]), FOLDER).strip()
            self.module.fail_json(msg=f"sshd refuses the configuration: {told}")
        return parse_settings(out)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "login": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    params, login = module.params, module.params["login"]
    made, expected = make_files(params["settings"], login["port"])
    files: Files = dict(made)
    if params["state"] == "absent":
        files, expected = dict.fromkeys(sorted(made or glob.glob(f"{PREFIX}*.conf"))), {}
    differs = any(read_file(path) != content for path, content in files.items())
    listed = [{"path": path, "content": content} for path, content in files.items()]
    result: dict[str, Any] = {"changed": False, "files": listed, "differs": differs, "ports": []}
    program = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"])
    if not program or not os.path.exists(MAIN):
        module.exit_json(**result)
    with tempfile.TemporaryDirectory() as folder:
        sshd = Sshd(module, program, copy_configuration(files, folder))
        sshd.read("-t")
        settings = sshd.read("-T")
        if unmet := find_unmet(settings, expected):
            module.fail_json(
                msg=f"{unmet}, because {MAIN} or a file in {FOLDER} says otherwise before it; change it there first"
            )
        if login["user"]:
            client, _, server, port = login["connection"].split()
            met = f"user={login['user']},host={client},addr={client},laddr={server},lport={port}"
            mine = sshd.read("-T", "-C", met)
            why = find_lockout(mine, login, find_groups(login["user"]), has_authorized_key(mine, login["user"]))
            if why:
                module.fail_json(msg=why)
    if "port" in expected:
        if module.run_command(["systemctl", "is-active", "--quiet", "ssh.socket"])[0] == 0:
            module.fail_json(
                msg="ssh_server_port: systemd's ssh.socket listens for sshd on this host and decides the port; disable"
                " ssh.socket and enable ssh.service first"
            )
    module.exit_json(**{**result, "ports": read_ports(settings)})


if __name__ == "__main__":
    main()
