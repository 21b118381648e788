"""Steps as plays that plain ansible-playbook runs. Pure, no I/O; `playsteps` reads them back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import JsonValue

from intendant.intents import Step, referenced_variable

INCLUDE = "ansible.builtin.include_role"
#: the folder beside a playbook that its uploads are taken from.
UPLOADS = "files"
ONCE = "once"
ONCE_TAGS = ["never", ONCE]
_UPLOAD = "{{{{ playbook_dir }}}}/" + UPLOADS + "/{}"
_TEMPLATE_MARKS = ("{{", "{%", "{#")
_LONGEST_LINE = 120


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


class Literal(str):
    """Text that is no template, although it looks like one; ``!unsafe`` in YAML."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Block style as ansible-lint wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (as it is called)
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|" if _is_block(text) else None)


def _represent_literal(dumper: yaml.SafeDumper, text: Literal) -> yaml.Node:
    return dumper.represent_scalar("!unsafe", str(text), style="|" if _is_block(text) else "'")


def _is_block(text: str) -> bool:
    """Whether the text is shown as a block. One that ends in empty lines is not: PyYAML ends the document after it."""
    is_open = text.endswith("\n") and text[-2:-1] in ("", *"\n\x85\u2028\u2029")
    return "\n" in text and not is_open


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Literal, _represent_literal)


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
    if any(isinstance(text, Literal) for text in _texts(_encode(dict(task.step.params)))):
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
        found["tags"] = ONCE_TAGS
    return found


def _encode(value: JsonValue) -> Any:
    if isinstance(value, dict):
        if name := referenced_variable(value):
            return "{{ " + name + " }}"
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encode(item) for item in value]
    return Literal(value) if isinstance(value, str) and looks_like_template(value) else value


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
