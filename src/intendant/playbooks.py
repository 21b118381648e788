"""Steps as plays that plain ansible-playbook runs, and such plays as steps again. Pure, no I/O."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import yaml
from pydantic import JsonValue

from intendant.errors import InputError
from intendant.intents import FROM_VAR, Step, referenced_variable

INCLUDE = "ansible.builtin.include_role"
#: the folder beside a playbook that its uploads are taken from.
UPLOADS = "files"
ONCE = "once"
_ONCE_TAGS = ["never", ONCE]
_UPLOAD = "{{{{ playbook_dir }}}}/" + UPLOADS + "/{}"
_UPLOAD_FORM = re.compile(r"\{\{ playbook_dir \}\}/" + UPLOADS + "/(.+)", re.S)
_REFERENCE_FORM = re.compile(r"\{\{ ([A-Za-z_][A-Za-z0-9_]*) \}\}")
_TEMPLATE_MARKS = ("{{", "{%", "{#")
_PLAY_KEYS = ("name", "hosts", "become", "tasks")
_TASK_KEYS = ("name", INCLUDE, "vars", "tags")
_LONGEST_LINE = 120
_EXPECTED = "Only plays as 'intendant export' writes them can be planned."


@dataclass(frozen=True)
class Task:
    """One step in a play; ``uploads`` are the params that name a file, ``once`` ones run only when asked for."""

    name: str
    step: Step
    uploads: tuple[str, ...] = ()
    once: bool = False


@dataclass(frozen=True)
class Play:
    """Steps on the same hosts. ``comments`` stand above it, a line each."""

    name: str
    hosts: tuple[str, ...]
    tasks: tuple[Task, ...]
    comments: tuple[str, ...] = ()


class _Literal(str):
    """Text that is no template, although it looks like one; ``!unsafe`` in YAML."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Block style as ansible-lint wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (as it is called)
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


class PlaybookLoader(yaml.SafeLoader):
    """Plain data, in which text marked as ``!unsafe`` is told from other text."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|" if "\n" in text else None)


def _represent_literal(dumper: yaml.SafeDumper, text: _Literal) -> yaml.Node:
    return dumper.represent_scalar("!unsafe", str(text), style="|" if "\n" in text else "'")


def _construct_literal(loader: yaml.SafeLoader, node: yaml.Node) -> _Literal:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "!unsafe marks text only", node.start_mark)
    return _Literal(loader.construct_scalar(node))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Literal, _represent_literal)
PlaybookLoader.add_constructor("!unsafe", _construct_literal)


def write_playbook(plays: Sequence[Play], header: Sequence[str]) -> str:
    """The playbook's text: the same plays give the same bytes. Comments have to be of one printable line each."""
    parts = ["".join(f"{'# ' + line if line else '#'}\n" for line in header)]
    for play in plays:
        parts.append("".join(f"# {line}\n" for line in play.comments) + _write_play(play))
    text = "\n".join(parts)
    rules = ["line-length"] if any(len(line) > _LONGEST_LINE for line in text.split("\n")) else []
    rules += ["empty-lines"] if "\n\n\n\n" in text else []
    directives = "".join(f"# yamllint disable rule:{rule}\n" for rule in rules)
    return f"---\n{directives}{text}"


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
    if task.get("tags", _ONCE_TAGS) != _ONCE_TAGS:
        raise InputError(f"{where}.tags: a plan has none but {', '.join(_ONCE_TAGS)}. {_EXPECTED}")
    return Step(
        intent=str(role["name"]), params={name: _decode(f"{where}.vars.{name}", params[name]) for name in params}
    )


def _check_keys(where: str, found: dict[str, Any], allowed: Sequence[str]) -> None:
    if other := [str(key) for key in found if key not in allowed]:
        raise InputError(f"{where}: {', '.join(other)} cannot be planned. Allowed: {', '.join(allowed)}. {_EXPECTED}")


def _write_play(play: Play) -> str:
    hosts: str | list[str] = play.hosts[0] if len(play.hosts) == 1 else list(play.hosts)
    head = _dump([{"name": play.name, "hosts": hosts, "become": True}])
    return f"{head}  tasks:\n" + "\n".join(map(_write_task, play.tasks))


def _write_task(task: Task) -> str:
    first, rest = _dump([_encode_task(task)]).split("\n", 1)
    if rules := _list_false_alarms(task):
        first += f"  # noqa: {' '.join(rules)}"
    return "".join(f"    {line}\n" if line else "\n" for line in [first, *rest.split("\n")[:-1]])


def _list_false_alarms(task: Task) -> list[str]:
    """Rules of ansible-lint that see a template in literal text, or expect names that a role does not have."""
    found = []
    if any(isinstance(text, _Literal) for text in _texts(_encode(dict(task.step.params)))):
        found += ["jinja[invalid]", "jinja[spacing]"]
    prefix = task.step.intent.rpartition(".")[2] + "_"
    if not all(name.startswith(prefix) for name in task.step.params):
        found.append("var-naming[no-role-prefix]")
    return found


def _dump(document: list[dict[str, Any]]) -> str:
    """YAML in which what is not printable (control characters, bidirectional marks) is seen as an escape."""
    plain = all(text.replace("\n", "").isprintable() for text in _texts(document))
    dumped: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1 << 30, allow_unicode=plain)
    return dumped


def _encode_task(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = {"name": task.name, INCLUDE: {"name": task.step.intent}}
    if task.step.params:
        found["vars"] = {
            name: _UPLOAD.format(value) if name in task.uploads and isinstance(value, str) else _encode(value)
            for name, value in task.step.params.items()
        }
    if task.once:
        found["tags"] = _ONCE_TAGS
    return found


def _encode(value: JsonValue) -> Any:
    if isinstance(value, dict):
        if name := referenced_variable(value):
            return "{{ " + name + " }}"
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encode(item) for item in value]
    return _Literal(value) if isinstance(value, str) and looks_like_template(value) else value


def _decode(where: str, value: Any) -> JsonValue:
    if isinstance(value, dict):
        return {str(key): _decode(f"{where}.{key}", item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(f"{where}[{number}]", item) for number, item in enumerate(value)]
    if isinstance(value, _Literal):
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


def looks_like_template(text: str) -> bool:
    """Ansible would evaluate it."""
    return any(mark in text for mark in _TEMPLATE_MARKS)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
