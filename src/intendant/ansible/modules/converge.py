#!/usr/bin/python
"""Bring one observable value of a host to a desired one, in a way that check mode can predict."""

from __future__ import annotations

DOCUMENTATION = r"""
module: converge
short_description: Make any command-line tool plannable
description:
  - Runs O(probe), compares what it says with O(desired) and O(desired_rc), and runs O(command) only if they differ.
  - After O(command) the probe runs again; the task fails unless the host has converged.
  - Check mode runs only the probe. The diff is the same in both modes.
  - Both are lists of arguments. No shell sees them and nothing in them is expanded.
options:
  probe:
    description: Arguments of a read-only command. It runs in check mode too, so it must never change the host.
    type: list
    elements: str
    required: true
  command:
    description: Arguments of the command that brings the host to the desired state.
    type: list
    elements: str
    required: true
  desired:
    description: What the probe is expected to print, but for white space at the end. Unset compares the exit code only.
    type: str
  desired_rc:
    description: The exit code that the probe is expected to have.
    type: int
    default: 0
  match:
    description: Whether the output equals O(desired), contains it, or matches it as a regular expression.
    type: str
    choices: [exact, contains, regex]
    default: exact
  command_rc:
    description: Exit codes of O(command) that count as success.
    type: list
    elements: int
    default: [0]
  environment:
    description: Variables added to the environment of both commands.
    type: dict
    default: {}
  chdir:
    description: Folder in which both commands run.
    type: path
  stdin:
    description: Text for the standard input of O(command), passed on as it is.
    type: str
  label:
    description: What the diff calls the compared value. Unset uses the probe's arguments.
    type: str
  sensitive:
    description: Keep outputs, O(stdin), O(desired) and the values of O(environment) out of the result and the diff.
    type: bool
    default: false
  fresh:
    description:
      - The caller knows that an earlier step of the same run brings what is probed. Before the run it then counts as
        nothing, in both modes, the change is reported even if the value is already the desired one, and a probe that
        cannot run in check mode makes no RV(blind_spot).
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Set the time zone
  ansible.legacy.converge:
    probe: [timedatectl, show, --property=Timezone, --value]
    desired: Europe/Vienna
    command: [timedatectl, set-timezone, Europe/Vienna]

- name: Let the database know a role
  ansible.legacy.converge:
    probe: [psql, -tAc, "SELECT 1 FROM pg_roles WHERE rolname = 'app'"]
    desired: "1"
    command: [createuser, --no-superuser, app]
"""

RETURN = r"""
before: {description: What the probe said before., type: str, returned: always}
after: {description: What it says, or is predicted to say, afterwards., type: str, returned: always}
exit_code: {description: Exit code of the command., type: int, returned: when the command ran}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when the probe cannot run}
"""

import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HIDDEN = "(sensitive)"


def run(module: AnsibleModule, argv: list[str], stdin: str | None = None) -> tuple[int, str, str]:
    """Return exit code, output and errors; raise OSError if the command cannot be started."""
    environment = {"LC_ALL": "C", **{key: str(value) for key, value in module.params["environment"].items()}}
    chdir = module.params["chdir"]
    if chdir and not os.path.isdir(chdir):
        raise FileNotFoundError(f"the folder {chdir} does not exist")
    rc, out, err = module.run_command(
        argv, data=stdin, binary_data=True, cwd=chdir, environ_update=environment,
        expand_user_and_vars=False, handle_exceptions=False,
    )  # fmt: skip
    return rc, out, err


def is_desired(params: dict[str, Any], rc: int, out: str) -> bool:
    """Tell whether the probe's answer is the desired one."""
    desired: str | None = params["desired"]
    if rc != int(params["desired_rc"]):
        return False
    if desired is None:
        return True
    if params["match"] == "contains":
        return desired in out
    if params["match"] == "regex":
        return re.search(desired, out) is not None
    return out.rstrip() == desired.rstrip()


def describe_found(params: dict[str, Any], rc: int, out: str) -> str:
    """Render the probe's answer; the exit code is named only where it matters."""
    lines = [out.rstrip()] if params["desired"] is not None and out.rstrip() else []
    if rc != params["desired_rc"]:
        lines.append(f"exit code: {rc}")
    return "".join(f"{line}\n" for line in lines)


def describe_desired(params: dict[str, Any]) -> str:
    """Render the desired answer; it depends on nothing but the arguments, so both modes agree."""
    if params["desired"] is None:
        return f"exit code: {params['desired_rc']}\n"
    how = {"exact": "", "contains": "(contains) ", "regex": "(matches) "}[params["match"]]
    return f"{how}{params['desired'].rstrip()}\n"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "probe": {"type": "list", "elements": "str", "required": True},
            "command": {"type": "list", "elements": "str", "required": True},
            "desired": {"type": "str"},
            "desired_rc": {"type": "int", "default": 0},
            "match": {"type": "str", "choices": ["exact", "contains", "regex"], "default": "exact"},
            "command_rc": {"type": "list", "elements": "int", "default": [0]},
            "environment": {"type": "dict", "default": {}},
            "chdir": {"type": "path"},
            "stdin": {"type": "str"},
            "label": {"type": "str"},
            "sensitive": {"type": "bool", "default": False},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    sensitive = params["sensitive"]
    if sensitive:
        secrets = [params["stdin"], params["desired"], *params["environment"].values()]
        module.no_log_values.update(str(value) for value in secrets if value)
    if not params["probe"] or not params["command"]:
        module.fail_json(msg="probe and command each need at least the name of a program")

    blind_spot = None
    try:
        rc, out, _err = run(module, params["probe"])
        done, before = is_desired(params, rc, out), describe_found(params, rc, out)
    except OSError as error:
        # The tool may be what an earlier step of the same run installs: predict, and say so.
        done, before = False, ""
        blind_spot = f"the probe {params['probe'][0]} cannot run yet ({error.strerror or error}); its answer is assumed"
    fresh = params["fresh"]
    if fresh:
        before, blind_spot = "", None
    after = before if done and not fresh else describe_desired(params)

    label = params["label"] or (HIDDEN if sensitive else " ".join(params["probe"]))
    shown_before, shown_after = (HIDDEN, HIDDEN) if sensitive else (before, after)
    changed = fresh or not done
    result: dict[str, Any] = {"changed": changed, "before": shown_before, "after": shown_after}
    if sensitive:
        shown_after = f"{HIDDEN} changed" if changed else HIDDEN
    result["diff"] = {
        "before": shown_before, "after": shown_after, "before_header": label, "after_header": label,
    }  # fmt: skip
    if blind_spot and module.check_mode:
        result["blind_spot"] = blind_spot
    if done or module.check_mode:
        module.exit_json(**result)

    try:
        rc, out, err = run(module, params["command"], params["stdin"])
        result.update({"exit_code": rc} if sensitive else {"exit_code": rc, "stdout": out, "stderr": err})
        if rc not in params["command_rc"]:
            module.fail_json(**{**result, "msg": f"{params['command'][0]} failed with exit code {rc}"})
        rc, out, _err = run(module, params["probe"])
    except OSError as error:
        module.fail_json(**{**result, "msg": f"a command cannot be started: {error}"})
    if not is_desired(params, rc, out):
        found = HIDDEN if sensitive else describe_found(params, rc, out).strip()
        module.fail_json(**{**result, "msg": f"not converged: after the command the probe still says {found!r}"})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
