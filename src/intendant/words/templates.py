"""The sentence templates of intents: what a phrase may hold, and the words that it brings along.

A phrase of ``meta/intent.yml`` is a template in hassil's syntax, in which ``{name_of_a_param}`` stands for its value:

- ``{param.key}`` is a key of an item of a param that is a list of dictionaries (see ``slots``);
- a param with choices, or a boolean, is matched by its choices and by words for them (``words_for``);
- any other param takes one word, a quoted text, or, when it is a list, several joined by "and" or commas;
- ``{WORDS=VALUE:name_of_a_param}`` matches just those words, a template as well, and stands for that value.

Hosts have no place in a phrase: "on web1" is taken out of a request before.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hassil import parse_sentence
from hassil.expression import Alternative, Expression, Group, ListReference, RuleReference, TextChunk
from hassil.parser import ParseError
from pydantic import JsonValue

from intendant.errors import InputError
from intendant.intents import Intent
from intendant.words.slots import find_option, fixed_value

PRESENT = "present"
ABSENT = "absent"
#: words for the choices of a param whose name ends in "_state"
STATE_WORDS: Mapping[str, tuple[str, ...]] = {
    PRESENT: ("install", "add", "create", "set up", "setup", "installed", "created"),
    ABSENT: ("remove", "uninstall", "delete", "purge", "get rid of", "removed", "uninstalled", "deleted", "gone"),
    "latest": ("upgrade", "update", "upgraded", "updated", "up to date"),
    "started": ("start", "running"),
    "stopped": ("stop",),
    "restarted": ("restart",),
    "reloaded": ("reload",),
    "directory": ("folder",),
    "link": ("symlink",),
}
_ENABLED_WORDS: Mapping[str, bool] = {"enable": True, "enabled": True, "disable": False, "disabled": False}
_READABLE = frozenset({"str", "path", "int", "float", "bool"})


def words_for(name: str, option: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The words that a param with choices, or a boolean, is matched by, with the values they stand for."""
    words: dict[str, JsonValue] = {}
    if option.get("choices"):
        for choice in option["choices"]:
            if not isinstance(choice, str):
                continue
            words[choice.replace("_", " ")] = choice
            if name.endswith("_state"):
                words.update(dict.fromkeys(STATE_WORDS.get(choice, ()), choice))
    elif option.get("type") == "bool":
        last = name.rpartition(".")[2].rpartition("_")[2]
        words.update(_ENABLED_WORDS if last == "enabled" else {last: True, f"without {last}": False})
    return words


@lru_cache(maxsize=8192)
def parse_template(text: str) -> Expression:
    """The parsed template, which nobody may change. Most are asked for several times, and parsing is what takes long.

    Raises:
        ParseError, AssertionError, ValueError, IndexError: hassil cannot read the text.
    """
    return parse_sentence(text).expression


def check_phrase(phrase: str, intent: Intent) -> None:
    """Raise an InputError that quotes the phrase when it cannot be used for the intent."""
    try:
        expression = parse_template(phrase)
    except (ParseError, AssertionError, ValueError, IndexError):
        raise InputError(f"'{phrase}' is no sentence template of hassil.") from None
    for part in walk(expression):
        if isinstance(part, RuleReference):
            raise InputError(f"'{phrase}' uses <{part.rule_name}>; expansion rules are not supported.")
        if isinstance(part, ListReference):
            name = part.slot_name
            option = find_option(intent, name)
            if option is None:
                raise InputError(f"'{phrase}' names {{{name}}}, which is no param of the role; hosts need no slot.")
            if option.get("no_log") or intent.options[name.partition(".")[0]].get("no_log"):
                raise InputError(f"'{phrase}' would read {name}, a secret, from a request that is stored as it is.")
            kind = option.get("elements") if option.get("type") == "list" else option.get("type")
            if part.list_name != name and fixed_value(part.list_name, option) is None:
                allowed = "true or false" if kind == "bool" else "one of its choices, or of its type"
                slot = f"{{{part.list_name}:{name}}}"
                raise InputError(f"'{phrase}': {slot} must be {{WORDS=VALUE:{name}}}, with a value that is {allowed}.")
            if part.list_name == name and (kind or "str") not in _READABLE:
                raise InputError(f"'{phrase}' cannot read {name}: its type {kind} has no form in words.")


def slots_of(intent: Intent) -> Iterator[ListReference]:
    """Every slot in the phrases of the intent."""
    for phrase in intent.phrases:
        yield from slots_in(phrase)


def slots_in(phrase: str) -> Iterator[ListReference]:
    """Every slot in one template."""
    for expression in walk(parse_template(phrase)):
        if isinstance(expression, ListReference):
            yield expression


def words_of(phrase: str, lists: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Every word that a text matching the phrase may have, but for the values that may be any word."""
    words: set[str] = set()
    for expression in walk(parse_template(phrase)):
        if isinstance(expression, TextChunk):
            words.update(expression.text.lower().split())
        elif isinstance(expression, ListReference):
            fixed, is_fixed, _ = expression.list_name.partition("=")
            if is_fixed:
                words |= words_of(fixed, {})
            words.update(word for text in lists.get(expression.slot_name, ()) for word in text.lower().split())
    return words


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts."""
    yield expression
    if isinstance(expression, Group):
        for item in expression.items:
            yield from walk(item)


def first_words(expression: Expression, lists: Mapping[str, Mapping[str, Any]]) -> tuple[set[str], bool]:
    """The words that a text matching the expression may start with, and whether it may be empty."""
    if isinstance(expression, TextChunk):
        words = expression.text.lower().split()
        return set(words[:1]), not words
    if isinstance(expression, ListReference):
        fixed, is_fixed, _ = expression.list_name.partition("=")
        if is_fixed:
            return first_words(parse_template(fixed), lists)
        return {text.lower().split()[0] for text in lists.get(expression.slot_name, ())}, False
    found: set[str] = set()
    if not isinstance(expression, Group):
        return found, False
    if isinstance(expression, Alternative):
        parts = [first_words(item, lists) for item in expression.items]
        return found.union(*(words for words, _ in parts)), any(empty for _, empty in parts)
    for item in expression.items:
        words_, empty = first_words(item, lists)
        found |= words_
        if not empty:
            return found, False
    return found, True
