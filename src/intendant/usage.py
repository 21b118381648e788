"""Which variables the files of a role use, and which they set. Templates are parsed, never rendered. Pure reading."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, TemplateError, nodes

from intendant.plainyaml import YamlReader

_BARE = {"when", "that", "changed_when", "failed_when", "until", "var", "break_when"}
_BARE_LOOPS = {"with_items", "with_list", "with_dict", "with_subelements"}
_SETTERS = {"set_fact", "ansible.builtin.set_fact", "ansible.legacy.set_fact"}
_INCLUDERS = re.compile(r"(include|import)_(role|tasks|playbook)$")
#: what Ansible and Jinja bring themselves
_KNOWN = frozenset({
    "item", "omit", "lookup", "query", "q", "now", "undef", "range", "dict", "lipsum", "cycler", "joiner", "namespace",
    "loop", "self", "caller", "varargs", "kwargs", "hostvars", "groups", "group_names", "inventory_hostname",
    "inventory_hostname_short", "inventory_dir", "inventory_file", "playbook_dir", "role_path", "role_name",
    "role_names", "play_hosts", "vars", "environment", "template_host", "template_path", "template_fullpath",
    "template_run_date", "template_uid", "template_destpath", "template_mtime", "true", "false", "none", "True",
    "False", "None", "url",
})  # fmt: skip
_LIMIT = 500_000


#: what has a tag of Ansible's counts as nothing, for it is no template
_YAML = YamlReader({"!": lambda _loader, _suffix, _node: None})


@dataclass
class Usage:
    """``guarded`` may be undefined, for it has a ``default`` filter or is asked for by ``is defined``."""

    used: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    where: dict[str, str] = field(default_factory=dict)

    def add_template(self, text: str, where: str) -> None:
        """Note what a template uses; one that cannot be parsed says nothing."""
        try:
            tree = _ENVIRONMENT.parse(text)
        except (TemplateError, RecursionError):
            return
        loads = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
        stores = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        stores |= {macro.name for macro in tree.find_all(nodes.Macro)}
        names = {name for name in loads - stores - _KNOWN if not name.startswith("ansible_")}
        self.used |= names
        for name in names:
            self.where.setdefault(name, where)
        for part in tree.find_all((nodes.Filter, nodes.Test)):
            optional = ("default", "d", "ansible.builtin.default", "defined", "undefined")
            if part.name in optional and isinstance(part.node, nodes.Name):
                self.guarded.add(part.node.name)


_ENVIRONMENT = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])  # noqa: S701 - renders nothing


def read_usage(folder: Path) -> Usage:
    """Read tasks, handlers, defaults, vars and templates of the role in ``folder``."""
    usage = Usage()
    for part in ("tasks", "handlers", "vars", "defaults"):
        for path in _files(folder / part, (".yml", ".yaml")):
            where = str(path.relative_to(folder))
            for document in _read_documents(path):
                if part in ("vars", "defaults") and isinstance(document, dict):
                    usage.assigned.update(str(key) for key in document)
                _walk(document, usage, where)
    for path in _files(folder / "templates", ("",)):
        try:
            usage.add_template(path.read_text(encoding="utf-8"), str(path.relative_to(folder)))
        except (OSError, ValueError):
            continue
    return usage


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Files below the folder that are not too long to be written by hand; links may lead anywhere and are left out."""
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(suffixes) and path.is_file() and not path.is_symlink() and path.stat().st_size <= _LIMIT:
            yield path


def _read_documents(path: Path) -> list[Any]:
    try:
        return _YAML.load_all(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return []


def _walk(value: object, usage: Usage, where: str, bare: bool = False) -> None:
    """Note every template below a value; ``bare`` is for conditions, which have no braces around them."""
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            usage.add_template(value, where)
        elif bare:
            usage.add_template("{{ " + value + " }}", where)
    elif isinstance(value, list):
        for item in value:
            _walk(item, usage, where, bare)
    elif isinstance(value, dict):
        _note_setters(value, usage)
        for key, item in value.items():
            _walk(key, usage, where)
            _walk(item, usage, where, key in _BARE or (key in _BARE_LOOPS and _is_bare_name(item)))


def _is_bare_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*", value) is not None


def _note_setters(task: dict[Any, Any], usage: Usage) -> None:
    if isinstance(task.get("register"), str):
        usage.assigned.add(task["register"])
    control = task.get("loop_control")
    if isinstance(control, dict):
        usage.assigned.update(str(control[key]) for key in ("loop_var", "index_var", "extended_var") if key in control)
    # What is given to another role is that role's.
    includes = any(_INCLUDERS.search(str(key)) for key in task)
    for key, value in task.items():
        if isinstance(value, dict) and (key in _SETTERS or (key == "vars" and ("name" in task or includes))):
            usage.assigned.update(str(name) for name in value if name != "cacheable")
