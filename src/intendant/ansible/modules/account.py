#!/usr/bin/python
"""Create, change and remove a local user, with a diff of what changes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account
short_description: A local user with the same diff in check mode and for real
description:
  - Creates, changes or removes a user of the host's own files through useradd, usermod, groupadd and userdel.
  - Groups that do not exist are created; each has a diff of its own.
  - What is unset is left alone, and for a new user left to the host's defaults.
options:
  name:
    description: Login name.
    type: str
    required: true
  state:
    description: What to reach.
    type: str
    choices: [present, absent]
    default: present
  uid:
    description: Number of the user.
    type: int
  comment:
    description: Full name or purpose.
    type: str
  groups:
    description: Supplementary groups.
    type: list
    elements: str
  exclusive:
    description: Leave every supplementary group that O(groups) does not name.
    type: bool
    default: false
  shell:
    description: Login shell.
    type: str
  home:
    description: Home folder. An existing one is moved there.
    type: str
  create_home:
    description: Create the home folder of a new user.
    type: bool
    default: true
  remove_home:
    description: Delete home folder and mail of a removed user.
    type: bool
    default: false
  system:
    description: Make a new user a system user.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Add a user for deployments
  ansible.legacy.account:
    name: deploy
    groups: [www-data]
"""

RETURN = r"""
home: {description: Home folder as it is or will be., type: str, returned: when state is present}
created: {description: Whether the user is new., type: bool, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import grp
import os
import pwd
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ENVIRONMENT = {"LC_ALL": "C"}
OPTIONS = {"uid": "--uid", "comment": "--comment", "shell": "--shell", "home": "-d"}  # -d: its long forms differ


def read_account(name: str) -> dict[str, Any]:
    """Return what the host knows of a user; nothing if there is none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return {}
    groups = {group.gr_name for group in grp.getgrall() if name in group.gr_mem and group.gr_gid != entry.pw_gid}
    return {
        "uid": entry.pw_uid,
        "comment": entry.pw_gecos,
        "groups": groups,
        "home": entry.pw_dir,
        "shell": entry.pw_shell,
    }


def read_defaults(module: AnsibleModule) -> dict[str, str]:
    """Ask useradd for the home and shell of a new user."""
    _rc, out, _err = module.run_command(["useradd", "--defaults"], environ_update=ENVIRONMENT)
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def describe(name: str, account: dict[str, Any], keys: list[str]) -> str:
    if not account:
        return ""
    shown = {**account, "groups": ", ".join(sorted(account["groups"]))}
    return f"user: {name}\n" + "".join(f"{key}: {shown[key]}\n" for key in keys)


def make_diff(header: str, before: str, after: str) -> dict[str, str]:
    return {"before": before, "after": after, "before_header": header, "after_header": header}


def group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def find_processes(uid: int) -> list[str]:
    """Return the processes of a user: userdel refuses while there are any, so check mode must know too."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{number}").st_uid == uid:
                found.append(number)
        except OSError:
            continue
    return found


def run(module: AnsibleModule, *argv: str) -> None:
    rc, out, err = module.run_command(list(argv), environ_update=ENVIRONMENT, expand_user_and_vars=False)
    if rc != 0:
        module.fail_json(msg=f"{argv[0]} failed: {(err or out).strip()}")


def remove(module: AnsibleModule, name: str, account: dict[str, Any]) -> None:
    result: dict[str, Any] = {"changed": bool(account), "created": False}
    if not account:
        module.exit_json(**result)
    if account["uid"] == 0:
        module.fail_json(msg=f"refusing to remove {name}: its number is 0")
    if processes := find_processes(account["uid"]):
        module.fail_json(msg=f"{name} cannot be removed while its processes run: {', '.join(processes)}")
    before = describe(name, account, ["uid", "comment", "groups", "home", "shell"])
    gone = module.params["remove_home"] and os.path.isdir(account["home"])
    result["diff"] = [make_diff(f"user {name}", before, "")]
    if gone:
        result["diff"].append(make_diff(f"folder {account['home']}", "directory\n", ""))
    if not module.check_mode:
        run(module, "userdel", *(["--remove"] if module.params["remove_home"] else []), "--", name)
    module.exit_json(**result)


def build_wanted(module: AnsibleModule, name: str, account: dict[str, Any]) -> dict[str, Any]:
    """Return the account as it shall be."""
    params = module.params
    wanted = dict(account)
    if not account:
        defaults = read_defaults(module)
        home = f"{defaults.get('HOME', '/home')}/{name}"
        wanted = {"uid": None, "comment": "", "groups": set(), "home": home, "shell": defaults.get("SHELL", "")}
    wanted.update({key: params[key] for key in OPTIONS if params[key] is not None})
    if params["groups"] is not None:
        named = {group for group in params["groups"] if group != name}
        wanted["groups"] = named if params["exclusive"] else named | wanted["groups"]
    return wanted


def refuse_conflicts(module: AnsibleModule, name: str, account: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Fail where useradd and usermod would, so that check mode promises nothing that cannot be kept."""
    taken = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == wanted["uid"] and entry.pw_name != name]
    if taken:
        module.fail_json(msg=f"the number {wanted['uid']} belongs to {taken[0]}")
    moved = [key for key in ("uid", "home") if account and wanted[key] != account[key]]
    if moved and (processes := find_processes(account["uid"])):
        module.fail_json(
            msg=f"{' and '.join(moved)} of {name} cannot change while its processes run: {', '.join(processes)}"
        )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "uid": {"type": "int"},
            "comment": {"type": "str"},
            "groups": {"type": "list", "elements": "str"},
            "exclusive": {"type": "bool", "default": False},
            "shell": {"type": "str"},
            "home": {"type": "str"},
            "create_home": {"type": "bool", "default": True},
            "remove_home": {"type": "bool", "default": False},
            "system": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params, name = module.params, module.params["name"]
    account = read_account(name)
    if params["state"] == "absent":
        remove(module, name, account)

    wanted = build_wanted(module, name, account)
    refuse_conflicts(module, name, account, wanted)
    keys = [key for key in ("uid", "comment", "groups", "home", "shell") if wanted[key] != account.get(key)]
    keys = [key for key in keys if account or wanted[key] not in (None, "", set())]
    new_groups = sorted(group for group in wanted["groups"] if not group_exists(group))
    diffs = [make_diff(f"group {group}", "", f"group: {group}\n") for group in new_groups]
    if keys or not account:
        diffs.append(make_diff(f"user {name}", describe(name, account, keys), describe(name, wanted, keys)))
    result: dict[str, Any] = {"changed": bool(diffs), "diff": diffs, "home": wanted["home"], "created": not account}
    if "shell" in keys and not os.access(wanted["shell"], os.X_OK):
        missing = f"the shell {wanted['shell']} does not exist on this host"
        if not module.check_mode:
            module.fail_json(msg=missing)
        result["blind_spot"] = f"{missing} yet; an earlier step is assumed to bring it"
    if module.check_mode or not diffs:
        module.exit_json(**result)

    for group in new_groups:
        run(module, "groupadd", *(["--system"] if params["system"] else []), "--", group)
    changes = [
        part for key in OPTIONS if key in keys and wanted[key] is not None for part in (OPTIONS[key], str(wanted[key]))
    ]
    if "groups" in keys:
        changes += ["--groups", ",".join(sorted(wanted["groups"]))]
    if not account:
        flags = ["--system"] if params["system"] else []
        flags += ["--gid", name] if group_exists(name) else []
        run(
            module,
            "useradd",
            *flags,
            "--create-home" if params["create_home"] else "--no-create-home",
            *changes,
            "--",
            name,
        )
    elif keys:
        run(module, "usermod", *changes, *(["--move-home"] if "home" in keys else []), "--", name)
    now = read_account(name)
    if diffs[-1]["before_header"] == f"user {name}":
        diffs[-1]["after"] = describe(name, now, keys)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
