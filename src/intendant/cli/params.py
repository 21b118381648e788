"""`-p key=value`: words of a command line read by the types of the intent's argument specification."""

import getpass
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pydantic import JsonValue

from intendant.errors import InputError, NotFoundError
from intendant.intents import FROM_VAR, Intent, referenced_variable

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_JSON_TYPES: dict[str, type] = {"list": list, "dict": dict}


class _Given(NamedTuple):
    value: str
    is_variable: bool


def parse_params(words: Sequence[str], intent: Intent, read_secret: Callable[[str], str]) -> dict[str, JsonValue]:
    """The params that ``words`` (each ``key=value`` or ``key:var=NAME``) give to the intent.

    A ``str`` stays as it is written ("3.12"); a list is the option repeated, or one JSON array; a dict is a JSON
    object; a bool is true, false, yes or no. ``-`` as a secret param's value calls ``read_secret`` with its name.

    Raises:
        InputError: no ``=``, a value that does not fit the type, a param given twice, a secret given in clear.
        NotFoundError: the intent has no such param.
    """
    given: dict[str, list[_Given]] = {}
    for word in words:
        left, equals, value = word.partition("=")
        name, _, suffix = left.partition(":")
        if not equals or suffix not in ("", "var"):
            raise InputError(f"-p {_shorten(left)}: write it as -p name=value, or -p name:var=VARIABLE.")
        if name not in intent.options:
            raise NotFoundError(f"param of intent '{intent.name}'", name, intent.options)
        given.setdefault(name, []).append(_Given(value, suffix == "var"))
    params = {}
    for name, values in given.items():
        option = intent.options[name]
        if _holds_secret(option):
            values = [_type_secret(name, values, read_secret)]
        params[name] = _parse_values(name, values, option)
    return params


def read_secret(name: str) -> str:
    """A secret typed without echo on a terminal, else the next line of stdin.

    Raises:
        InputError: nothing was given.
    """
    value = getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not value:
        raise InputError(f"{name}: no value was given. Type it, or give it as one line on stdin.")
    return value


def _holds_secret(option: dict[str, Any]) -> bool:
    """The param is secret, or a part of it is."""
    return bool(option.get("no_log")) or any(map(_holds_secret, (option.get("options") or {}).values()))


def _type_secret(name: str, values: list[_Given], read: Callable[[str], str]) -> _Given:
    if len(values) != 1:
        raise InputError(f"-p {name}: give it once.")
    if values[0].is_variable:
        return values[0]
    if values[0].value != "-":
        raise InputError(
            f"-p {name}: a secret on the command line is seen in the process list and kept in the shell's history. "
            f"Use -p {name}=- to type it (or give it on stdin), "
            f"or -p {name}:var=VARIABLE for an inventory or vault variable."
        )
    return _Given(read(name), is_variable=False)


def _parse_values(name: str, values: list[_Given], option: dict[str, Any]) -> JsonValue:
    kind = option.get("type") or "str"
    if len(values) == 1 and values[0].is_variable:
        return _reference(values[0].value)
    if kind == "list":
        if len(values) == 1 and values[0].value.lstrip().startswith("["):
            return _parse_json(name, values[0].value, "list")
        element = {"type": option.get("elements")}
        return [_parse_values(name, [value], element) for value in values]
    if len(values) != 1:
        raise InputError(f"-p {name}: give it once; only a list may be repeated.")
    return _parse_scalar(name, values[0].value, kind)


def _parse_scalar(name: str, text: str, kind: str) -> JsonValue:
    if kind == "dict":
        return _parse_json(name, text, kind)
    if kind == "bool":
        if text.lower() not in _BOOLEANS:
            raise InputError(f"-p {name}: is no bool. Allowed: {', '.join(_BOOLEANS)}.")
        return _BOOLEANS[text.lower()]
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            raise InputError(f"-p {name}: is no {kind}.") from None
    return text


def _parse_json(name: str, text: str, kind: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError as error:
        raise InputError(f"-p {name}: is no JSON {kind}: {error}.") from None
    if not isinstance(value, _JSON_TYPES[kind]):
        raise InputError(f"-p {name}: is no JSON {kind}: got {type(value).__name__}.")
    return value


def _reference(variable: str) -> JsonValue:
    reference: JsonValue = {FROM_VAR: variable}
    referenced_variable(reference)
    return reference


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
