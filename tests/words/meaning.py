"""What params mean, whichever of several ways they are written: two requests that want the same compare as equal."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from intendant.intents import COMMAND, Intent, Step, join_steps
from intendant.words.schedules import read_schedule

ABSENT = "absent"
_DOCKER = {"user_groups": ["docker"]}
PORTS = {
    "ssh": "22",
    "smtp": "25",
    "http": "80",
    "https": "443",
    "mysql": "3306",
    "postgresql": "5432",
    "redis": "6379",
}


def read_meaning(steps: Sequence[Step], intents: Mapping[str, Intent]) -> list[tuple[str, dict[str, Any]]]:
    """The steps without what the roles do anyway; neighbours that say different things of one intent are one."""
    meant: list[tuple[str, dict[str, Any]]] = []
    for step in join_steps(steps):
        params = _mean(step, intents[step.intent])
        if (
            meant
            and meant[-1][0] == step.intent
            and meant[-1][1].keys().isdisjoint(params)
            and ABSENT not in str(meant[-1])
        ):
            # "default deny, allow 22": two steps for one thing are one
            meant[-1][1].update(params)
        else:
            meant.append((step.intent, params))
    return _join_others(meant)


def _join_others(meant: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """One way for what two intents do together or one alone: who may use docker, a reboot after an update."""
    joined: list[tuple[str, dict[str, Any]]] = []
    for intent, params in meant:
        before, known = joined[-1] if joined else ("", {})
        if before == "docker" and intent == "user" and params == {"user_name": params.get("user_name"), **_DOCKER}:
            known["docker_users"] = sorted([*known.get("docker_users", []), params["user_name"]])
        elif before == "system_update" and intent == "reboot" and params == {"reboot_when": "if_required"}:
            known["system_update_reboot"] = "if_required"
        else:
            joined.append((intent, params))
    return joined


def is_unspeakable(step: Step, intent: Intent) -> bool:
    """Whether no request in words may become the step: it holds a secret, or is a command."""
    return step.intent == COMMAND or any(
        _has_secret(value, intent.options.get(name, {})) for name, value in step.params.items()
    )


def _mean(step: Step, intent: Intent) -> dict[str, Any]:
    params = dict(step.params)
    state = next((name for name in params if name.endswith("_state") and params[name] == ABSENT), "")
    for name, value in list(params.items()) if state else []:
        # "the site goes": said of the role with the site named, or of the site
        if isinstance(value, list) and "state" in (intent.options[name].get("options") or {}):
            params[name] = [{**item, "state": ABSENT} if isinstance(item, dict) else item for item in value]
            params.pop(state, None)
    return _without_defaults(params, intent.options)


def _without_defaults(params: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    meant = {}
    for name, value in params.items():
        option = options.get(name) or {}
        value = _write_one_way(name, value, option.get("options") or {})
        if value != option.get("default") and not (name == "from" and value == "any"):
            meant[name] = value
    return meant


def _write_one_way(name: str, value: Any, options: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return sorted((_write_one_way("", item, options) for item in value), key=repr)
    if isinstance(value, dict) and not options:
        # settings of any name: 300 and "300" are one in the file
        return {key: str(part) if type(part) in {int, float} else part for key, part in value.items()}
    if isinstance(value, dict):
        return _without_defaults(value, options)
    if isinstance(value, str) and name.endswith(("_schedule", "_calendar")):
        return read_schedule(value) or value
    if name == "port":
        return PORTS.get(str(value), str(value))
    if isinstance(value, str) and name.endswith(("_size", "_memory")):
        return re.sub("i?[Bb]$", "", value).upper()
    return value


def _has_secret(value: Any, option: Mapping[str, Any]) -> bool:
    options = option.get("options") or {}
    items = value if isinstance(value, list) else [value]
    inner = any(
        _has_secret(part, options.get(key) or {})
        for item in items
        if isinstance(item, dict)
        for key, part in item.items()
    )
    return bool(option.get("no_log")) or inner
