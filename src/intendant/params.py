"""Checks the params of a step against the specification of its role. Pure but for Ansible's own validator."""

import copy
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from pydantic import JsonValue
from rapidfuzz import process

from intendant.errors import InputError, PolicyError
from intendant.intents import Intent, referenced_variable

MAX_STRING_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_SHOWN = 80
# Ansible decodes objects with such keys into tagged values, so they would not arrive as the data they look like.
RESERVED_KEY_PREFIX = "__ansible_"

# What JSON may hold for each type of an option. Ansible itself coerces far more (3.1 to "3.1", True to "True").
JSON_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a string"),
    "path": ((str,), "a string"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "list": ((list,), "a list"),
    "dict": ((dict,), "an object"),
    "bytes": ((str, int), 'a size such as "10M"'),
    "bits": ((str, int), 'a size such as "10M"'),
    "json": ((str, list, dict), "a JSON document"),
    "jsonarg": ((str, list, dict), "a JSON document"),
    "raw": ((object,), "any value"),
}
_VALIDATED_KEYS = (
    "type", "elements", "required", "choices", "default", "no_log", "apply_defaults",
    "mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by",
)  # fmt: skip
_OMITTED = object()


def check_params(
    intent: Intent, params: Mapping[str, JsonValue], allowed_from_var: Callable[[str], bool]
) -> dict[str, JsonValue]:
    """A copy of ``params`` that Ansible will accept; nothing in it is coerced.

    ``{"from_var": NAME}`` may stand for a param or for any value inside one; ``allowed_from_var`` says which names
    may be referenced.

    Raises:
        InputError: an unknown or missing param, a wrong type or choice, or data that cannot be handed to Ansible.
        PolicyError: a reference to a variable that ``allowed_from_var`` refuses.
    """
    for name, value in params.items():
        _check_data(value, name, 0)
    check = _Check(intent, allowed_from_var)
    known = check.options(intent.options, params, (), secret=False)
    _ask_ansible(intent.options, known, check)
    return copy.deepcopy(dict(params))


def show_value(value: object) -> str:
    """The value as JSON, or a description when it is too long to be repeated in a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN else "a value that is too long to show"


class _Check:
    """One pass over the params; remembers what was referenced and what must stay unseen."""

    def __init__(self, intent: Intent, allowed_from_var: Callable[[str], bool]) -> None:
        self._intent = intent
        self._allowed = allowed_from_var
        self.referenced: set[tuple[str, ...]] = set()
        self.hidden: list[str] = []

    def options(
        self, options: Mapping[str, Any], values: Mapping[str, JsonValue], path: tuple[str, ...], *, secret: bool
    ) -> dict[str, Any]:
        """The values without what is given by reference."""
        where = f" of {'.'.join(path)}" if path else ""
        for name in values:
            if name not in options:
                near = [
                    match for match, _, _ in process.extract(name[:MAX_SHOWN], list(options), limit=1, score_cutoff=60)
                ]
                hint = f" Did you mean {near[0]}?" if near else ""
                allowed = f"Allowed: {', '.join(options)}." if options else "It takes none."
                what = f"{show_value(name)}{where} is no {'key' if path else f'param of intent {self._intent.name}'}"
                raise InputError(f"{what}.{hint} {allowed}")
        missing = [name for name, option in options.items() if option.get("required") and name not in values]
        if missing:
            verb = "are" if len(missing) > 1 else "is"
            first = _describe(options[missing[0]])
            raise InputError(f"{', '.join(missing)}{where} {verb} required{f': {first}' if first else ''}.")
        known = {}
        for name, value in values.items():
            option = options[name]
            kept = self._value(option, value, (*path, name), secret=secret or bool(option.get("no_log")))
            if kept is not _OMITTED:
                known[name] = kept
        return known

    def _value(self, option: Mapping[str, Any], value: JsonValue, path: tuple[str, ...], *, secret: bool) -> Any:
        if self._is_reference(value, path):
            self.referenced.add(path)
            return _OMITTED
        if secret:
            self.hidden.extend(_leaves(value))
            if isinstance(value, str) and value.startswith("$ANSIBLE_VAULT"):
                raise InputError(
                    f"{'.'.join(path)} is vault ciphertext. Put it into a variable and send the reference "
                    '{"from_var": "variable_name"}, or send the plain value.'
                )
        _check_type(option.get("type") or "str", value, ".".join(path), secret=secret)
        if isinstance(value, list):
            element = {key: option[key] for key in ("options", "choices") if key in option}
            element["type"] = option.get("elements") or "raw"
            # An element that is a reference is left out; the place of the others in the list does not matter here.
            kept = [self._value(element, item, (*path[:-1], f"{path[-1]}[{number}]"), secret=secret)
                    for number, item in enumerate(value)]  # fmt: skip
            return [item for item in kept if item is not _OMITTED]
        _check_choice(option, value, ".".join(path), secret=secret)
        if isinstance(value, dict):
            if option.get("options"):
                return self.options(option["options"], value, path, secret=secret)
            free = {key: self._value({"type": "raw"}, item, (*path, key), secret=secret) for key, item in value.items()}
            return {key: item for key, item in free.items() if item is not _OMITTED}
        return value

    def _is_reference(self, value: JsonValue, path: tuple[str, ...]) -> bool:
        try:
            variable = referenced_variable(value)
        except InputError as error:
            raise InputError(f"{'.'.join(path)}: {error}") from None
        if variable is None:
            return False
        if variable in self._intent.options:
            raise InputError(
                f"{'.'.join(path)} cannot refer to {variable}, which is a param of intent {self._intent.name} itself. "
                "Name an inventory or vault variable, or send the value."
            )
        if not self._allowed(variable):
            raise PolicyError(
                f"{'.'.join(path)} refers to the variable {variable}, which the policy does not allow. "
                f'To allow it, a person adds "{variable}" to from_var under [policy] in intendant.toml.'
            )
        return True


def _check_data(value: JsonValue, path: str, depth: int) -> None:
    """Refuse what cannot be handed to Ansible as plain data, whatever the specification says."""
    if depth > MAX_DEPTH:
        raise InputError(f"{path[:MAX_SHOWN]} is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{path} must be a finite number.")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_data(item, f"{path}[{number}]", depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, f"a key of {path}")
            if key.startswith(RESERVED_KEY_PREFIX):
                raise InputError(f"{path} has a key that starts with {RESERVED_KEY_PREFIX}: Ansible reserves those.")
            _check_data(item, f"{path}.{key[:MAX_SHOWN]}", depth + 1)


def _check_text(text: str, path: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InputError(f"{path} holds half of a surrogate pair, which is no valid text.") from None
    if "\x00" in text:
        raise InputError(f"{path} holds a NUL character, which no file name, argument or text file can hold.")
    if size > MAX_STRING_BYTES:
        raise InputError(f"{path} is {size} bytes long; {MAX_STRING_BYTES} are allowed.")


def _check_type(kind: str, value: JsonValue, path: str, *, secret: bool) -> None:
    accepted, wanted = JSON_TYPES[kind]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in {"str", "path"} and is_number:
        if "version" in path:
            raise InputError(f'{path} must be a string, such as "3.10": a number loses its trailing zero.')
        hint = "" if secret else f': send "{value}" in quotes'
        raise InputError(f"{path} must be a string, not a number{hint}.")
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind not in {"bool", "raw"}):
        if value is None:
            raise InputError(f"{path} must be {wanted}, not null. Leave it out to use the role's default.")
        raise InputError(f"{path} must be {wanted}{'' if secret else f', not {show_value(value)}'}.")


def _check_choice(option: Mapping[str, Any], value: JsonValue, path: str, *, secret: bool) -> None:
    choices = option.get("choices")
    if choices and not any(type(choice) is type(value) and choice == value for choice in choices):
        got = "" if secret else f", not {show_value(value)}"
        raise InputError(f"{path} must be one of {', '.join(map(str, choices))}{got}.")


def _ask_ansible(options: Mapping[str, Any], known: dict[str, Any], check: _Check) -> None:
    """Let Ansible decide, with what is given by reference taken out of both values and specification."""
    # List positions do not occur in the specification.
    relaxed = {tuple(part.partition("[")[0] for part in path) for path in check.referenced}
    messages = ArgumentSpecValidator(_relaxed_spec(options, relaxed, ())).validate(known).error_messages
    if not messages:
        return
    text = " ".join(messages)
    if any(hidden in text for hidden in check.hidden):
        text = "Ansible refuses the params; its reason quotes a secret value and is withheld."
    elif long := [leaf for leaf in _leaves(known) if len(leaf) > MAX_SHOWN and leaf in text]:
        for leaf in long:
            text = text.replace(leaf, "(too long to show)")
    raise InputError(text)


def _relaxed_spec(
    options: Mapping[str, Any], referenced: set[tuple[str, ...]], path: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    spec: dict[str, dict[str, Any]] = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _VALIDATED_KEYS if key in option}
        if (*path, name) in referenced:
            spec[name].pop("required", None)
            spec[name].pop("default", None)
        if option.get("options"):
            spec[name]["options"] = _relaxed_spec(option["options"], referenced, (*path, name))
    return spec


def _leaves(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [str(value)] if value not in (None, "") else []


def _describe(option: Mapping[str, Any]) -> str:
    description = option.get("description") or ""
    first = description[0] if isinstance(description, list) and description else description
    return str(first).rstrip(". ")
