#!/usr/bin/python
"""Put a user into a group or take it out, also when an earlier step of the same run creates them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: group_member
short_description: Membership of a user in a group
description:
  - Adds a user to a supplementary group or removes it, and leaves every other membership alone.
  - Check mode accepts a user or group that does not exist yet only where the caller says an earlier step brings it.
options:
  user:
    description: Login name.
    type: str
    required: true
  group:
    description: Name of the group.
    type: str
    required: true
  state:
    description: What to reach.
    type: str
    choices: [present, absent]
    default: present
  known_users:
    description: Users that earlier steps of the same run create.
    type: list
    elements: str
    default: []
  group_expected:
    description: An earlier step of the same run brings the group.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Let deploy read the logs
  ansible.legacy.group_member:
    user: deploy
    group: adm
"""

RETURN = r"""
member: {description: Whether the user was a member before., type: bool, returned: always}
"""

import grp
import pwd

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "group": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "known_users": {"type": "list", "elements": "str", "default": []},
            "group_expected": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    user, group, present = module.params["user"], module.params["group"], module.params["state"] == "present"
    if user.startswith("-") or group.startswith("-"):
        module.fail_json(msg="user and group must not start with a dash")
    try:
        entry = grp.getgrnam(group)
        member = user in entry.gr_mem
    except KeyError:
        member = False
        if present and not (module.check_mode and module.params["group_expected"]):
            module.fail_json(msg=f"the group {group} does not exist on this host")
    try:
        pwd.getpwnam(user)
    except KeyError:
        if present and not (module.check_mode and user in module.params["known_users"]):
            module.fail_json(msg=f"the user {user} does not exist on this host; create it first")
    if member != present and not module.check_mode:
        action = "--add" if present else "--delete"
        rc, out, err = module.run_command(
            ["gpasswd", action, user, group], environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
        )
        if rc != 0:
            module.fail_json(msg=f"gpasswd failed: {(err or out).strip()}")
    before, after = (f"member: {user}\n" if there else "" for there in (member, present))
    diff = {"before": before, "after": after, "before_header": f"group {group}", "after_header": f"group {group}"}
    module.exit_json(changed=member != present, member=member, diff=diff)


if __name__ == "__main__":
    main()
