"""Plays that `playbooks` wrote as steps again. Pure, no I/O."""

import re
from collections.abc import Sequence
from typing import Any, TypeGuard

import yaml
from pydantic import JsonValue

from intendant.errors import InputError
from intendant.intents import FROM_VAR, Step
from intendant.playbooks import INCLUDE, ONCE_TAGS, UPLOADS, Literal, looks_like_template

_UPLOAD_FORM = re.compile(r"\{\{ playbook_dir \}\}/" + UPLOADS + "/(.+)", re.S)
_REFERENCE_FORM = re.compile(r"\{\{ ([A-Za-z_][A-Za-z0-9_]*) \}\}")
_PLAY_KEYS = ("name", "hosts", "become", "tasks")
_TASK_KEYS = ("name", INCLUDE, "vars", "tags")
_EXPECTED = "Only plays as 'intendant export' writes them can be planned."


class PlaybookLoader(yaml.SafeLoader):
    """Plain data, in which text marked as ``!unsafe`` is told from other text."""


def _construct_literal(loader: yaml.SafeLoader, node: yaml.Node) -> Literal:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "!unsafe marks text only", node.start_mark)
    return Literal(loader.construct_scalar(node))


PlaybookLoader.add_constructor("!unsafe", _construct_literal)


def is_play(document: object) -> TypeGuard[dict[str, Any]]:
    """A play, as far as its keys tell, and no document of a plan file."""
    return isinstance(document, dict) and "steps" not in document and bool({"tasks", "roles"} & document.keys())


def read_play(document: dict[str, Any]) -> tuple[str, tuple[Step, ...]]:
    """Hosts and steps of a play, read by ``PlaybookLoader``.

    Raises:
        InputError: it holds something that a plan has no word for.
    """
    _check_keys("the play", document, _PLAY_KEYS)
    hosts, tasks = document.get("hosts"), document.get("tasks")
    given = hosts if isinstance(hosts, list) else [hosts]
    names = [name for name in given if isinstance(name, str) and name]
    if not given or names != given:
        raise InputError(f"hosts: name a pattern, or a list of names. {_EXPECTED}")
    if document.get("become") is not True:
        raise InputError(f"become: has to be true, for plans act as root. {_EXPECTED}")
    if not isinstance(tasks, list) or not tasks:
        raise InputError(f"tasks: name at least one role. {_EXPECTED}")
    return ",".join(names), tuple(_read_task(f"tasks.{number}", task) for number, task in enumerate(tasks))


def _read_task(where: str, task: object) -> Step:
    if not isinstance(task, dict):
        raise InputError(f"{where}: is no task. {_EXPECTED}")
    _check_keys(where, task, _TASK_KEYS)
    role = task.get(INCLUDE)
    if not isinstance(role, dict) or role.keys() != {"name"} or not isinstance(role["name"], str):
        raise InputError(f"{where}: has to be {INCLUDE} with the name of a role. {_EXPECTED}")
    params = task.get("vars", {})
    if not isinstance(params, dict) or not all(isinstance(name, str) for name in params):
        raise InputError(f"{where}.vars: has to name params. {_EXPECTED}")
    if task.get("tags", ONCE_TAGS) != ONCE_TAGS:
        raise InputError(f"{where}.tags: a plan has none but {', '.join(ONCE_TAGS)}. {_EXPECTED}")
    return Step(
        intent=str(role["name"]), params={name: _decode(f"{where}.vars.{name}", params[name]) for name in params}
    )


def _check_keys(where: str, found: dict[str, Any], allowed: Sequence[str]) -> None:
    if other := [str(key) for key in found if key not in allowed]:
        raise InputError(f"{where}: {', '.join(other)} cannot be planned. Allowed: {', '.join(allowed)}. {_EXPECTED}")


def _decode(where: str, value: Any) -> JsonValue:
    if isinstance(value, dict):
        return {str(key): _decode(f"{where}.{key}", item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(f"{where}[{number}]", item) for number, item in enumerate(value)]
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, str) and looks_like_template(value):
        if found := _REFERENCE_FORM.fullmatch(value):
            return {FROM_VAR: found[1]}
        if (found := _UPLOAD_FORM.fullmatch(value)) and not looks_like_template(found[1]):
            return found[1]
        raise InputError(
            f'{where}: is a template. A plan takes one variable, "{{{{ name }}}}", or text that is marked with !unsafe.'
        )
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise InputError(f"{where}: is no text, number, list or mapping; put it in quotes.")
