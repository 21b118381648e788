"""JSON Schema of an intent's params, derived from the specification that Ansible checks. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from intendant.intents import Intent

_TYPES: dict[str, str | list[str]] = {
    "str": "string",
    "path": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "bytes": ["string", "integer"],
    "bits": ["string", "integer"],
}
_MARKUP = re.compile(r"\b(?:RV|[VCOEBIM])\(([^()]*)\)")
_REFERENCES = 'Instead of any value: {"from_var": "NAME"}, an inventory or vault variable that the policy allows.'


def params_schema(intent: Intent) -> dict[str, Any]:
    """The schema of the object that ``Step.params`` must be."""
    return {"description": _REFERENCES, **_object_schema(intent.options, intent.defaults)}


def join_description(description: object) -> str:
    """A description, which Ansible lets authors write as one text or as a list of paragraphs, with its own markup.

    ``V(value)``, ``C(code)``, ``O(option)`` and the like (docs.ansible.com, "Ansible markup") become plain words.
    """
    parts = description if isinstance(description, list) else [description]
    text = " ".join(str(part).strip() for part in parts if part)
    return _MARKUP.sub(r"\1", text)


def _object_schema(options: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for name, option in options.items():
        schema["properties"][name] = _option_schema(option, defaults.get(name, option.get("default")))
    if required := [name for name, option in options.items() if option.get("required")]:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def _option_schema(option: Mapping[str, Any], default: object) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    kind = option.get("type") or "str"
    if kind == "dict" and option.get("options"):
        schema.update(_object_schema(option["options"], {}))
    elif kind in _TYPES:
        schema["type"] = _TYPES[kind]
    choices = {"enum": list(option["choices"])} if option.get("choices") else {}
    if kind == "list":
        element = {"type": option.get("elements") or "raw", "options": option.get("options")}
        # Ansible holds the choices of a list against each of its elements.
        if items := {**_option_schema(element, None), **choices}:
            schema["items"] = items
    else:
        schema.update(choices)
    if description := join_description(option.get("description")):
        schema["description"] = description
    if option.get("no_log"):
        schema["writeOnly"] = True
    elif default is not None and not _is_template(default):
        schema["default"] = default
    return schema


def _is_template(value: object) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)
