"""What a task's result means for a plan: a change, a blind spot, or nothing."""

import json
import re
from collections.abc import Iterable
from typing import Any

from intendant.plans import SENSITIVE, Action, BlindSpot, Change
from intendant.runner.base import TaskResult

_COMMANDS = {
    "command",
    "shell",
    "raw",
    "script",
    "expect",
    "reboot",
    "converge",
    "command_once",
    "win_command",
    "win_shell",
}
_SERVICES = {"service", "systemd", "systemd_service", "sysvinit", "unit"}
_ABSENT = {"absent", "removed", "uninstalled", "killed"}
#: how the modules managed_file and uploaded_file show permissions, and that a backup is kept
_PERMISSIONS = re.compile(r"\A(?:(?:mode|owner|group|backup): .*\n)+")
_TARGETS = ("path", "dest", "names", "name", "pkg", "package", "unit", "url", "user", "src", "key")


def find_change(result: TaskResult) -> Change | None:
    """The change that a result reports, or None."""
    if result.status != "changed":
        return None
    before, after = _read_diff(result.diff)
    text = f"{before or ''}{after or ''}"
    return Change(
        step=result.step,
        role=result.role,
        task=result.task,
        module=result.module,
        target=_find_target(result),
        action=_find_action(result, before, after),
        before=before,
        after=after,
        sensitive=result.hidden or "(sensitive)" in text,
    )


def find_blind_spot(result: TaskResult) -> BlindSpot | None:
    """Why check mode could not predict this task, or None when it could.

    Ansible says so in the skip message of modules without check mode ("… does not support check mode", "… would have
    run if not in check mode"), our own modules by ``blind_spot``; a condition on ``ansible_check_mode`` hides a task on
    purpose.
    """
    words = f"{result.message} {result.skip_reason}".lower()
    reason = result.blind_spot
    if result.status == "skipped" and "ansible_check_mode" in words:
        reason = "the role skips this task in check mode"
    elif result.status == "skipped" and "check mode" in words:
        reason = f"{_short(result.module)} cannot predict what it would do"
    elif result.status == "failed" and result.ignored:
        reason = "it failed in check mode and the role ignores that"
    if not reason:
        return None
    return BlindSpot(step=result.step, task=result.task, reason=f"{reason} ({result.item})" if result.item else reason)


def find_unchained(changes: Iterable[Change]) -> list[BlindSpot]:
    """A blind spot for each change that was predicted without what an earlier step of the plan does to the same thing.

    Check mode leaves the host as it is, so a later step sees what an earlier one changes only where roles pass it on.
    Where they do, what is there before the later change is what the earlier one leaves.
    """
    spots: dict[tuple[int, str], BlindSpot] = {}
    latest: dict[tuple[str, ...], tuple[int, str]] = {}
    for change in changes:
        if (content := _read_content(change)) is None:
            continue
        is_path = change.target.startswith("/")
        key = (change.target,) if is_path else (change.target, change.role, change.task, change.module)
        step, left = latest.get(key, (change.step, ""))
        if step < change.step and left != content[0]:
            reason = f"step {step} changes {change.target} too, and check mode shows this step without it"
            spot = BlindSpot(step=change.step, task=change.task, reason=reason)
            spots.setdefault((change.step, change.task), spot)
        else:
            latest[key] = (change.step, content[1])
    return list(spots.values())


def _read_content(change: Change) -> tuple[str, str] | None:
    """Before and after without the permissions that a diff may begin with; None where it says nothing else."""
    # What a package starts counts as stopped before every step of its role, in check mode and for real.
    if change.before is None or change.after is None or _short(change.module) in _SERVICES:
        return None
    before, after = (_PERMISSIONS.sub("", text) for text in (change.before, change.after))
    is_attributes = f'"path": {json.dumps(change.target)}' in before and before.startswith("{")
    if is_attributes or (before == after and change.before):
        return None
    return before, after.replace("(sensitive, changed)", SENSITIVE)


def _short(module: str) -> str:
    return module.rpartition(".")[2]


def _find_target(result: TaskResult) -> str:
    for key in _TARGETS:
        value = result.args.get(key)
        if isinstance(value, list) and value:
            return ", ".join(str(item) for item in value)[:500]
        if isinstance(value, str | int) and str(value):
            return str(value)[:500]
    if result.item:
        return result.item
    headers = (part.get(side) for part in result.diff for side in ("after_header", "before_header"))
    return next((str(header) for header in headers if header), result.task)[:500]


def _find_action(result: TaskResult, before: str | None, after: str | None) -> Action:
    module = _short(result.module)
    state = str(result.args.get("state", ""))
    if module in _COMMANDS or (module in _SERVICES and state in ("restarted", "reloaded")):
        return "run"
    if module in _SERVICES:
        return "update"
    gone_before, gone_after = _says_absent(result.diff, "before"), _says_absent(result.diff, "after")
    if state in _ABSENT or gone_after or (before and after == ""):
        return "delete"
    if gone_before or (after and before == ""):
        return "create"
    return "update"


def _says_absent(parts: tuple[dict[str, Any], ...], side: str) -> bool:
    """Whether any part of the diff says that the target did (or will) not exist on this side."""
    for part in parts:
        value = part.get(side)
        if isinstance(value, dict) and value.get("state") == "absent":
            return True
    return False


def _read_diff(parts: tuple[dict[str, Any], ...]) -> tuple[str | None, str | None]:
    """Before and after as text; several parts follow each other. None where the module reported neither."""
    sides: list[str | None] = []
    for side in ("before", "after"):
        texts = [_as_text(part[side]) for part in parts if part.get(side) is not None]
        # A part that ends without a line feed must not run into the next one.
        joined = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts[:-1] if text)
        sides.append(joined + texts[-1] if texts else None)
    if sides == [None, None]:
        prepared = "".join(str(part["prepared"]) for part in parts if part.get("prepared"))
        return (None, prepared) if prepared else (None, None)
    return sides[0] if sides[0] is not None else "", sides[1] if sides[1] is not None else ""


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
