#!/usr/bin/python
"""Make a restic repository where there is none, predictable before restic is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_repository
short_description: A restic repository that exists and opens with the password
description:
  - Asks C(restic cat config) and runs C(restic init) only where there is no repository. One that there is, is never
    changed.
  - A password that does not open the repository, and a place that does not answer, are errors in both modes.
  - Password and environment reach restic through its environment and appear in no result.
options:
  repository:
    description: Where the repository is, as restic takes it.
    type: str
    required: true
  password:
    description: Password of the repository.
    type: str
    required: true
  environment:
    description: Variables for restic, such as the keys of an object store.
    type: dict
    default: {}
  fresh:
    description:
      - The caller knows that an earlier step of the same run brings restic. Check mode then looks for a local
        repository by itself.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Make the repository
  ansible.legacy.backup_repository:
    repository: /srv/backup
    password: "{{ vault_backup_password }}"
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import os
import re
import shutil
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# What the versions of restic say; since 0.17 their exit codes tell too.
NONE = re.compile(r"Is there a repository at the following location|repository does not exist", re.I)
WRONG = re.compile(r"wrong password or no key found", re.I)
NO_REPOSITORY, WRONG_PASSWORD = 10, 12


def judge(rc: int, errors: str) -> str:
    """Say what an answer of restic means."""
    if rc == 0:
        return "there"
    if rc == WRONG_PASSWORD or WRONG.search(errors):
        return "wrong password"
    if rc == NO_REPOSITORY or NONE.search(errors):
        # Also the answer of a store that does not let one in, which then says more than that.
        denied = re.search(r"denied|forbidden|unauthorized|permission|refused|no such host|unreachable", errors, re.I)
        return "unclear" if denied and rc != NO_REPOSITORY else "none"
    return "unclear"


def run(module: AnsibleModule, *argv: str) -> tuple[int, str]:
    params = module.params
    variables = {key: str(value) for key, value in params["environment"].items()}
    variables |= {"LC_ALL": "C", "RESTIC_REPOSITORY": params["repository"], "RESTIC_PASSWORD": params["password"]}
    # restic tries again for a quarter of an hour where nobody answers.
    rc, _out, err = module.run_command(
        ["timeout", "120", "restic", "--no-cache", *argv], environ_update=variables, expand_user_and_vars=False
    )
    return rc, err


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "repository": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "environment": {"type": "dict", "default": {}, "no_log": True},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    repository = module.params["repository"]
    module.no_log_values.update(str(value) for value in module.params["environment"].values() if value)
    blind_spot, errors = "", ""
    if shutil.which("restic"):
        rc, errors = run(module, "cat", "config")
        found = judge(rc, errors)
    elif not module.check_mode:
        module.fail_json(msg="there is no restic on this host")
    else:
        local = repository.startswith("/")
        found = "there" if local and os.path.exists(f"{repository}/config") else "none"
        if not local:
            blind_spot = f"{repository} can only be asked once restic is installed; it is taken to be empty"
        elif found == "there":
            blind_spot = f"whether the password opens {repository} is known once restic is installed"
    if found == "wrong password":
        module.fail_json(msg=f"backup_password does not open {repository}; it was made with another password")
    if found == "unclear":
        last = errors.strip().splitlines()[-3:]
        module.fail_json(msg=f"the repository {repository} cannot be reached: {' '.join(last) or 'no answer'}")

    new = found == "none"
    result: dict[str, Any] = {
        "changed": new,
        "diff": {
            "before": "" if new else "restic repository\n", "after": "restic repository\n",
            "before_header": f"repository {repository}", "after_header": f"repository {repository}",
        },
    }  # fmt: skip
    if blind_spot:
        result["blind_spot"] = blind_spot
    if new and not module.check_mode:
        rc, errors = run(module, "init")
        if rc != 0:
            module.fail_json(msg=f"restic cannot make the repository {repository}: {errors.strip()}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
