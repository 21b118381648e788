"""Slots of sentence templates: which option of a role they stand for, and how params are built of their values. Pure.

``{user_name}`` is a param, ``{firewall_allow.port}`` the key ``port`` of an item of a param that is a list of
dictionaries, or of a param that is one dictionary. All slots of one list make one item; several values of one of them
make several items. A dictionary with keys of any name has the slots ``.key`` and ``.value``. A key of an item that is
itself a list of dictionaries has slots for their keys: ``{nfs_server_exports.clients.address}``.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from intendant.intents import Intent

_ANY_KEY: Mapping[str, dict[str, Any]] = {"key": {"type": "str"}, "value": {"type": "str"}}
#: a value of a key of an item, with what else it says about the item: "443/tcp"
Part = dict[str, JsonValue]


def find_option(intent: Intent, slot: str) -> dict[str, Any] | None:
    """The specification of the param, or of the part of a param, that the slot stands for; None when there is none."""
    param, _, key = slot.partition(".")
    option = intent.options.get(param)
    if option is None or not key:
        return option
    first, _, inner = key.partition(".")
    part = keys_of(option).get(first)
    return keys_of(part).get(inner) if part and inner else part


def keys_of(option: Mapping[str, Any]) -> Mapping[str, dict[str, Any]]:
    """The keys that slots may name below a param."""
    kind = option.get("elements") if option.get("type") == "list" else option.get("type")
    if kind != "dict":
        return {}
    return option.get("options") or (_ANY_KEY if option.get("type") == "dict" else {})


def all_slots(intent: Intent) -> dict[str, dict[str, Any]]:
    """Every slot that phrases of the intent may have, with its specification."""
    slots = dict(intent.options)
    for param, option in intent.options.items():
        for key, part in keys_of(option).items():
            slots[f"{param}.{key}"] = part
            slots.update({f"{param}.{key}.{inner}": value for inner, value in keys_of(part).items()})
    return slots


def fixed_value(list_name: str, option: Mapping[str, Any]) -> tuple[str, JsonValue] | None:
    """The words and the value of ``{WORDS=VALUE:slot}``; None when the form is another or the value not allowed."""
    words, _, text = list_name.partition("=")
    kind = (option.get("elements") if option.get("type") == "list" else option.get("type")) or "str"
    value: JsonValue = None
    if option.get("choices"):
        value = next((choice for choice in option["choices"] if str(choice) == text), None)
    elif kind == "bool":
        value = {"true": True, "false": False}.get(text)
    elif kind == "int":
        value = int(text) if text.isdecimal() else None
    elif kind in {"str", "path", "raw"}:
        value = text or None
    return (words, value) if words.strip() and value is not None else None


def split_value(text: str, key: str, keys: Mapping[str, Mapping[str, Any]]) -> tuple[str, Part]:
    """Take "443/tcp" apart where another key has the choice ``tcp``."""
    first, slash, last = text.rpartition("/")
    other = next(
        (name for name, part in keys.items() if name != key and last.lower() in (part.get("choices") or ())), ""
    )
    if slash and first and other and re.fullmatch(r"[a-z]+", last.lower()):
        return first, {other: last.lower()}
    return text, {}


def build_params(intent: Intent, read: Sequence[tuple[str, list[JsonValue]]]) -> tuple[dict[str, JsonValue], ...]:
    """The params of each step that the slots' values make; none when they do not fit each other.

    A value of a slot with a key is a ``Part`` of an item.
    """
    params: dict[str, JsonValue] = {}
    several: tuple[str, list[JsonValue]] | None = None
    parts: dict[str, dict[str, list[Part]]] = {}
    for slot, values in read:
        param, _, key = slot.partition(".")
        option = intent.options[param]
        if key:
            parts.setdefault(param, {}).setdefault(key, []).extend(value for value in values if isinstance(value, dict))
        elif (option.get("type") or "str") == "list":
            known = params.setdefault(param, [])
            if isinstance(known, list):
                known.extend(value for value in values if value not in known)
        elif param in params:
            return ()
        elif len(values) == 1:
            params[param] = values[0]
        elif (intent.options.get(f"{param}s") or {}).get("type") == "list" and f"{param}s" not in params:
            # one certificate for all of the names, not several
            params[param], params[f"{param}s"] = values[0], list(values)
        elif intent.required() == [param] and several is None:
            params[param] = None
            several = (param, values)
        else:
            return ()
    _name_all(params)
    for param, columns in parts.items():
        is_free = not intent.options[param].get("options")
        items = _pair_items(columns) if is_free else _build_items(columns)
        if not items or param in params:
            return ()
        if intent.options[param].get("type") == "list":
            params[param] = list(items)
        elif is_free:
            params[param] = {str(item["key"]): item["value"] for item in items}
        elif len(items) == 1:
            params[param] = items[0]
        else:
            return ()
    return tuple({**params, several[0]: value} for value in several[1]) if several else (params,)


def _name_all(params: Mapping[str, JsonValue]) -> None:
    """A list of further names holds the domain that they are further to: "a certificate for a.org and b.org"."""
    for param, value in params.items():
        further = params.get(f"{param}s")
        if isinstance(further, list) and isinstance(value, str) and "." in value and value not in further:
            further.insert(0, value)


def missing_params(intent: Intent, params: Mapping[str, JsonValue]) -> list[str]:
    """Names of the required params that are not there, and of those whose items lack something required."""
    missing = intent.required()
    missing = [name for name in missing if name not in params]
    for name, value in params.items():
        needed = [key for key, part in keys_of(intent.options[name]).items() if part.get("required")]
        items = value if isinstance(value, list) else [value]
        if any(key not in item for item in items if isinstance(item, dict) for key in needed if item):
            missing += [name] if (intent.options[name].get("options")) else []
    return missing


def _build_items(columns: Mapping[str, list[Part]]) -> list[Part]:
    """The items that the columns make: one has any number of values, all others one, which is then in every item."""
    count = max(len(column) for column in columns.values())
    if sum(len(column) > 1 for column in columns.values()) > 1:
        return []
    items: list[Part] = []
    nested = {key for key in columns if "." in key}
    if nested and any(len(column) > 1 for column in columns.values()):
        return []
    for number in range(count):
        item: Part = {}
        for column in columns.values():
            part = column[number if len(column) > 1 else 0]
            if any(item.get(key, value) != value for key, value in part.items()):
                return []
            item.update(part)
        items.append(_nest(item, nested))
    return items


def _nest(item: Part, nested: Collection[str]) -> Part:
    """The item with the values of "clients.address" where they belong: in the dictionaries of its list ``clients``."""
    for dotted in sorted(nested):
        key, _, inner = dotted.partition(".")
        values = item.pop(dotted)
        inside = item.setdefault(key, [])
        if isinstance(values, list) and isinstance(inside, list):
            inside += [{} for _ in values[len(inside) :]]
            for number, part in enumerate(inside):
                if isinstance(part, dict):
                    part[inner] = values[min(number, len(values) - 1)]
    return item


def _pair_items(columns: Mapping[str, list[Part]]) -> list[Part]:
    """Keys with their values, in the order in which they were said."""
    keys, values = columns.get("key", []), columns.get("value", [])
    return [{**key, **value} for key, value in zip(keys, values, strict=True)] if len(keys) == len(values) else []
