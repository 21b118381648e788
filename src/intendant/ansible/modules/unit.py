#!/usr/bin/python
"""Start, stop, enable and disable a systemd unit, also when it is only planned to be installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: unit
short_description: State of a systemd unit, predictable before the unit exists
description:
  - Starts, stops, restarts, reloads, enables or disables one systemd unit.
  - In check mode a unit that does not exist is taken as one that an earlier step of the same run brings. The prediction
    is then marked with RV(blind_spot).
  - Outside check mode a unit that does not exist is an error, unless it only has to be stopped and disabled.
options:
  name:
    description: Name of the unit; C(.service) may be left out.
    type: str
    required: true
  state:
    description: What to reach. Unset leaves it alone. V(restarted) and V(reloaded) act every time.
    type: str
    choices: [started, stopped, restarted, reloaded]
  enabled:
    description: Whether the unit starts at boot. Unset leaves it alone.
    type: bool
  new_units:
    description:
      - Units that earlier steps of the same run brought. Packages often start and enable theirs at once, so that the
        change has already happened; it is then reported here, against the state before the run, as check mode did.
    type: list
    elements: str
    default: []
  fresh:
    description:
      - The caller knows that an earlier step of the same run brings the unit. It then counts as stopped and disabled
        before the run, in both modes, and check mode makes no RV(blind_spot) of it.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Run cron now and after every boot
  ansible.legacy.unit:
    name: cron
    state: started
    enabled: true
"""

RETURN = r"""
name: {description: Full name of the unit., type: str, returned: always}
exists: {description: Whether the unit exists on the host., type: bool, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when there is no such unit}
"""

import re
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

NAME = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]*\Z")
SUFFIX = re.compile(r"\.(service|socket|timer|target|path|mount|automount|swap|slice|scope|device)\Z")
PROPERTIES = "Id,LoadState,ActiveState,UnitFileState,Type,Result,CanReload"
ON = ("active", "reloading", "activating", "refreshing")
AT_BOOT = ("enabled", "enabled-runtime", "alias", "static", "generated", "indirect")
VERBS = {"started": "start", "stopped": "stop", "restarted": "restart", "reloaded": "reload"}


class Unit:
    """One unit as systemd sees it."""

    def __init__(self, module: AnsibleModule, name: str) -> None:
        self.module, self.name = module, name

    def run(self, *argv: str) -> tuple[int, str, str]:
        rc, out, err = self.module.run_command(
            [*argv, "--", self.name], environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
        )
        return rc, out, err

    def read(self) -> dict[str, str]:
        rc, out, err = self.run("systemctl", "show", f"--property={PROPERTIES}", "--no-pager")
        if rc != 0:
            self.module.fail_json(msg=f"systemd does not answer: {err.strip()}")
        found = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        if not found.get("UnitFileState"):
            # Units of SysV scripts are known to is-enabled alone.
            found["UnitFileState"] = self.run("systemctl", "is-enabled")[1].strip() or "disabled"
        return found

    def act(self, verb: str) -> None:
        rc, _out, err = self.run("systemctl", verb)
        if rc != 0:
            self.module.fail_json(msg=f"cannot {verb} {self.name}: {err.strip()}", journal=self.read_journal())

    def read_journal(self) -> list[str]:
        argv = ["journalctl", f"--unit={self.name}", "--lines=10", "--no-pager", "--output=cat"]
        out: str = self.module.run_command(argv, environ_update={"LC_ALL": "C"}, expand_user_and_vars=False)[1]
        return out.splitlines()

    def reach_active(self) -> bool:
        """Tell whether the unit stays up; one that ran to its end with success counts too."""
        time.sleep(0.5)
        deadline = time.monotonic() + 30
        while (now := self.read())["ActiveState"] == "activating" and time.monotonic() < deadline:
            if now.get("Result") != "success":
                return False
            time.sleep(0.5)
        return now["ActiveState"] in ON or (now.get("Type") == "oneshot" and now.get("Result") == "success")


def describe(active: bool, enabled: bool, params: dict[str, Any], action: str = "") -> str:
    """Render only what was asked for, so that the rest cannot differ between plan and run."""
    lines = [f"active: {'yes' if active else 'no'}{action}"] if params["state"] else []
    if params["enabled"] is not None:
        lines.append(f"enabled: {'yes' if enabled else 'no'}")
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["started", "stopped", "restarted", "reloaded"]},
            "enabled": {"type": "bool"},
            "new_units": {"type": "list", "elements": "str", "default": []},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    state, enabled, name = params["state"], params["enabled"], params["name"]
    if not NAME.match(name):
        module.fail_json(msg=f"{name!r} is not the name of a systemd unit")
    unit = Unit(module, name if SUFFIX.search(name) else f"{name}.service")
    found = unit.read()
    exists = found["LoadState"] != "not-found"
    is_on, at_boot = found["ActiveState"] in ON, found["UnitFileState"] in AT_BOOT
    # Before the run, a unit that an earlier step brings was neither active nor enabled, whatever links to it were left.
    new = not exists or params["fresh"] or bool({unit.name, found["Id"]} & set(params["new_units"]))
    before_on, before_boot = is_on and not new, at_boot and not new
    after_on = state != "stopped" if state else before_on
    after_boot = before_boot if enabled is None else enabled
    acts = state in ("restarted", "reloaded")
    before = describe(before_on, before_boot, params)
    after = describe(after_on, after_boot, params, f" ({state})" if acts else "")
    header = f"unit {unit.name}"
    result: dict[str, Any] = {"name": unit.name, "exists": exists, "changed": before != after}
    result["diff"] = {"before": before, "after": after, "before_header": header, "after_header": header}

    if not exists and module.check_mode:
        # Whatever brings it, stopped and disabled is what it then counts as.
        if not params["fresh"] and (after_on or after_boot):
            result["blind_spot"] = f"{unit.name} does not exist yet; an earlier step is assumed to bring it"
        module.exit_json(**result)
    kind = found["UnitFileState"]
    if not exists and (after_on or after_boot):
        module.fail_json(msg=f"there is no unit {unit.name} on this host")
    if kind.startswith("masked") and (after_on or after_boot):
        module.fail_json(msg=f"{unit.name} is masked; unmask it first")
    if kind in ("static", "generated", "transient") and enabled is False:
        module.fail_json(msg=f"{unit.name} is {kind}: it cannot be disabled, only masked")
    if state == "reloaded" and is_on and found.get("CanReload") == "no":
        module.fail_json(msg=f"{unit.name} cannot reload; use restarted")
    if module.check_mode or not exists:
        module.exit_json(**result)

    if result["changed"]:
        # NeedDaemonReload does not see a new folder of drop-ins (systemd 252).
        module.run_command(["systemctl", "daemon-reload"], check_rc=True)
    if enabled is not None and enabled != at_boot:
        unit.act("enable" if enabled else "disable")
    if acts or (state and after_on != is_on):
        # A unit that is not running is started by a reload too.
        unit.act("start" if state == "reloaded" and not is_on else VERBS[state])
        if after_on and not unit.reach_active():
            module.fail_json(**{**result, "msg": f"{unit.name} does not stay active", "journal": unit.read_journal()})
    if enabled is not None and (unit.read()["UnitFileState"] in AT_BOOT) != enabled:
        module.fail_json(**{**result, "msg": f"{unit.name} is still {unit.read()['UnitFileState']}"})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
