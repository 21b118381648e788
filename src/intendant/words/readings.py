"""One way to understand some words as steps of one intent: from what a phrase matched to params. Pure."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hassil.models import MatchEntity
from pydantic import JsonValue

from intendant.intents import Intent
from intendant.words.slots import build_params, find_option, keys_of, split_value
from intendant.words.templates import ABSENT, PRESENT
from intendant.words.tokens import Token
from intendant.words.values import read_value
from intendant.words.vocabulary import ARTICLES, FUNCTION_WORDS, JOINERS, NAMING_WORDS, NEGATIONS

_PLACEHOLDER = re.compile(r"zqv(\d+)vqz")
Lists = Mapping[str, Mapping[str, JsonValue]]


@dataclass(frozen=True)
class Reading:
    """One way to understand some words: an intent and, for each step, what its params are.

    ``literal`` counts the words that the template itself has, ``words`` all of them. ``spoken`` holds the former.
    ``negations`` counts the negations among them.
    """

    intent: str
    params: tuple[dict[str, JsonValue], ...]
    literal: int
    words: int
    spoken: frozenset[str] = frozenset()
    negations: int = 0


def placeholder(position: int) -> str:
    """A word that stands for the token at the position."""
    return f"zqv{position}vqz"


@dataclass(frozen=True)
class Reader:
    """Turns matches of the intent's phrases into readings.

    ``lists`` holds the words for the values of slots, ``starts_step`` tells words that order something.
    """

    intent: Intent
    lists: Lists
    starts_step: Callable[[str], bool]
    #: the words of the phrases, which are no second name after "and" either
    words: Collection[str] = frozenset()

    def convert(
        self, entities: Sequence[MatchEntity], words: Sequence[str], tokens: Sequence[Token], no_values: frozenset[str]
    ) -> Reading | None:
        """The reading of a match, or None when a value cannot be meant; ``no_values`` are never part of one."""
        read: list[tuple[str, list[JsonValue]]] = []
        literal = [word.lower() for word in words]
        spoken = set(literal)
        matched = 0
        for entity in entities:
            parts = entity.text.split()
            start = _find(literal, [part.lower() for part in parts])
            if start is None:
                return None
            after = start + len(parts)
            values: list[JsonValue]
            if not entity.is_wildcard:
                _, _, key = entity.name.partition(".")
                values = [{key: entity.value} if key else entity.value]
                matched += len(parts)
            else:
                spoken -= set(literal[start:after])
                if not no_values.isdisjoint({_token(part, tokens).word for part in parts}):
                    return None
                first = _token(parts[0], tokens).text
                # "a cache" describes something, "a 2G swap file" has a value
                if not first[:1].isdigit() and _is_described(literal[:start], literal[after:]):
                    return None
                is_named = start > 0 and literal[start - 1] in NAMING_WORDS
                values = self.read_values(entity.name, [_token(part, tokens) for part in parts], is_named=is_named)
            del literal[start:after]
            if not values:
                return None
            read.append((entity.name, values))
        steps = build_params(self.intent, read)
        if not steps or not all(self.infer_states(params, literal) for params in steps):
            return None
        negations = sum(word in NEGATIONS for word in spoken)
        return Reading(self.intent.name, steps, len(literal) + matched, len(words), frozenset(spoken), negations)

    def read_values(self, slot: str, spoken: Sequence[Token], *, is_named: bool) -> list[JsonValue]:
        """The values that the words of a wildcard stand for; empty when they are no clear values."""
        option: Mapping[str, Any] = find_option(self.intent, slot) or {}
        param, _, key = slot.partition(".")
        values: list[JsonValue] = []
        for number, token in enumerate(spoken):
            if number % 2:
                if token.word not in JOINERS:
                    return []
                continue
            # After "and", a word that orders something is the next step rather than one more name.
            if values and (self.starts_step(token.word) or token.word in self.words):
                return []
            text, extra = split_value(token.text, key, keys_of(self.intent.options[param])) if key else (token.text, {})
            value = read_value(slot, option, Token(text, token.quoted), is_named=is_named)
            if value is None:
                return []
            values.append({key: value, **extra} if key else value)
        if not len(spoken) % 2:
            return []
        if "." in key:
            inner = [value[key] for value in values if isinstance(value, dict)]
            return [{key: [[value] for value in inner] if option.get("type") == "list" else inner}]
        if key and option.get("type") == "list":
            return [{key: [value[key] for value in values if isinstance(value, dict)]}]
        return values

    def infer_states(self, params: dict[str, JsonValue], literal: Sequence[str]) -> bool:
        """Add what the verbs say about states that no slot has read; False when they contradict each other."""
        spoken = f" {' '.join(literal)} "
        for name, words in self.lists.items():
            if name in params or "." in name or not name.endswith(("_state", "_enabled")):
                continue
            said = {value for text, value in words.items() if f" {text} " in spoken}
            if len(said) > 1:
                # "create the directory", "delete the directory": one of the two words says what there shall be.
                said = said & {ABSENT} or said - {PRESENT}
            if len(said) > 1:
                return False
            if said == {ABSENT} and name.endswith("_state") and (items := self._removable_items(params)):
                # "drop the database app": what is named goes, not what the role is about
                for item in items:
                    item["state"] = ABSENT
            elif said and said != {_default(self.intent, name)}:
                params[name] = said.pop()
        for name, value in list(params.items()):
            # "install" says no more than asking for the intent does.
            if value == PRESENT == _default(self.intent, name):
                del params[name]
        return True

    def _removable_items(self, params: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
        """The items among the params that have a state of their own."""
        return [
            item
            for name, value in params.items()
            if ABSENT in (keys_of(self.intent.options[name]).get("state", {}).get("choices") or ())
            for item in (value if isinstance(value, list) else [value])
            if isinstance(item, dict)
        ]


def _default(intent: Intent, name: str) -> object:
    return intent.defaults.get(name, intent.options[name].get("default"))


def _is_described(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether the words around a value make it a description, as in "a cache" or "restart the backend"."""
    last = before[-1] if before else ""
    # "the nginx service" names something, "the backend" need not.
    return last in ARTICLES or (last == "the" and (not after or after[0] in FUNCTION_WORDS))


def _token(part: str, tokens: Sequence[Token]) -> Token:
    """The token that a word of a match stands for."""
    match = _PLACEHOLDER.fullmatch(part)
    return tokens[int(match[1])] if match else Token(part)


def _find(words: Sequence[str], parts: Sequence[str]) -> int | None:
    places = (start for start in range(len(words)) if list(words[start : start + len(parts)]) == list(parts))
    return next(places, None)
