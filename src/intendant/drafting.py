"""Drafts an argument specification for a role that has none, from its files alone. Runs nothing of the role."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from intendant.errors import ProjectError
from intendant.roles import find_file
from intendant.usage import Usage, read_usage

_HEAD = """\
---
# A draft for the role {name}, made from its defaults and from what its files use. Check types, descriptions and what is
# required, take out what is nobody's business, and save it as:
#   {path}
"""
_SECRET = re.compile(r"(^|_)(password|passwd|passphrase|secret|token|api_?key|private_?key|credentials?)s?(_|$)")
_COMMENT = re.compile(r"\s*#+ ?(.*)$")
_SETTING = re.compile(r"([A-Za-z]\w*):(\s|$)")


@dataclass
class _Default:
    """A variable of defaults/main.yml; one that only stands in a comment has no value."""

    comment: str
    value: Any = None
    has_value: bool = False
    encrypted: bool = False


@dataclass
class _Draft:
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """Plain data of safe YAML; what has a tag of Ansible's is its text."""


def _construct_tagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _construct_tagged)


def draft_spec(name: str, folder: Path) -> str:
    """The text of a ``meta/argument_specs.yml`` for the role in ``folder``.

    Raises:
        ProjectError: a file of the role cannot be read; the message names it.
    """
    defaults = _read_defaults(folder)
    usage = read_usage(folder)
    draft = _fill(name, defaults, usage)
    main = {"short_description": _describe_role(folder) or f"Draft for the role {name}", "options": draft.options}
    body = yaml.safe_dump(
        {"argument_specs": {"main": main}}, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )
    text = _HEAD.format(name=name, path=folder / "meta" / "argument_specs.yml") + body
    if draft.others:
        text += "# Also used, and set nowhere in the role; options only where they are meant to be given with it:\n"
        text += "".join(f"#   {other}\n" for other in draft.others)
    return text


def _fill(name: str, defaults: dict[str, _Default], usage: Usage) -> _Draft:
    draft = _Draft()
    for variable, default in defaults.items():
        draft.options[variable] = _draft_option(variable, default)
    prefix = _find_prefix(name, list(defaults))
    for variable in sorted(usage.used - usage.assigned - defaults.keys()):
        if variable.startswith("_"):
            continue
        if not variable.startswith(prefix):
            draft.others.append(variable)
            continue
        option: dict[str, Any] = {"description": f"Used in {usage.where[variable]}, without a default.", "type": "raw"}
        if variable not in usage.guarded:
            option["required"] = True
        if _SECRET.search(variable):
            option["no_log"] = True
        draft.options[variable] = option
    return draft


def _find_prefix(name: str, variables: list[str]) -> str:
    """What the role's own variables begin with: its name, unless all of its defaults begin with another word."""
    own = re.sub(r"^(ansible-)?role-", "", name.rpartition(".")[2]).replace("-", "_") + "_"
    words = {variable.split("_")[0] + "_" for variable in variables}
    if len(words) == 1 and not any(variable.startswith(own) for variable in variables):
        return words.pop()
    return own


def _draft_option(name: str, default: _Default) -> dict[str, Any]:
    option: dict[str, Any] = {"description": default.comment or "To be described."}
    option |= _infer_type(default.value)
    if not default.has_value and default.value is None:
        option["type"] = "raw"
    secret = default.encrypted or (_SECRET.search(name) is not None and not isinstance(default.value, bool))
    if secret:
        option["no_log"] = True
    # What is computed is known to Ansible alone, and nobody wants a secret in two places.
    elif default.has_value and default.value is not None and not _has_template(default.value):
        option["default"] = default.value
    return option


def _infer_type(value: object) -> dict[str, Any]:
    if isinstance(value, str) and _has_template(value):
        return {"type": "raw"}
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (dict, "dict")):
        if isinstance(value, kind):
            return {"type": name}
    if isinstance(value, list):
        kinds = {_infer_type(item)["type"] for item in value}
        return {"type": "list", "elements": kinds.pop() if len(kinds) == 1 else "raw"}
    return {"type": "str"}


def _has_template(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_template(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(_has_template(item) for item in value)
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _read_defaults(folder: Path) -> dict[str, _Default]:
    path = find_file(folder, "defaults/main")
    paths = [path] if path else sorted((folder / "defaults" / "main").glob("*.y*ml"))
    found: dict[str, _Default] = {}
    for one in paths:
        found |= _read_defaults_file(one)
    return found


def _read_defaults_file(path: Path) -> dict[str, _Default]:
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        # _Loader is a SafeLoader: it builds plain data only.
        values = yaml.load(text, Loader=_Loader)  # noqa: S506
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ProjectError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise ProjectError(f"{path} must hold a mapping.")
    keys = {key.start_mark.line: (key, value) for key, value in (node.value if node else ())}
    found: dict[str, _Default] = {}
    comments: list[str] = []
    inside = -1
    for number, line in enumerate(text.splitlines()):
        if number in keys:
            key, value = keys[number]
            inside = value.end_mark.line - (1 if value.end_mark.column == 0 else 0)
            aside = [] if isinstance(value, yaml.ScalarNode) and value.style in ("|", ">") else _find_aside(line)
            if key.value.isidentifier():
                comment = " ".join([*comments, *aside])
                found[key.value] = _Default(comment, values.get(key.value), True, value.tag == "!vault")
            comments = []
        elif number > inside:
            comments = _take_comment(line, comments, found)
    return found


def _find_aside(line: str) -> list[str]:
    """A comment at the end of a line whose value has no quotes that could hold a number sign."""
    match = re.search(r"^[^'\"]*\s#\s*(.+)$", line)
    return [match[1].strip()] if match else []


def _take_comment(line: str, comments: list[str], found: dict[str, _Default]) -> list[str]:
    """The comment lines so far with this one; a variable that is commented out takes them for itself."""
    match = _COMMENT.match(line)
    if not match:
        return []
    text = match[1].strip()
    setting = _SETTING.match(text)
    # A variable has an underscore in its name; "Note: ..." has not.
    if setting and "_" in setting[1]:
        found.setdefault(setting[1], _Default(" ".join(comments)))
        return []
    return [*comments, text] if re.search(r"\w", text) else comments


def _describe_role(folder: Path) -> str:
    path = find_file(folder, "meta/main")
    try:
        # _Loader is a SafeLoader: it builds plain data only.
        meta = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader) if path else {}  # noqa: S506
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return ""
    galaxy = meta.get("galaxy_info") if isinstance(meta, dict) else None
    return str(galaxy.get("description") or "").strip() if isinstance(galaxy, dict) else ""
