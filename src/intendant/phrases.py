"""Reads steps out of words by the phrases of intents; see ``templates`` for what a phrase may hold.

What a phrase leaves open about ``*_state`` and ``*_enabled`` is read from its verbs: "restart {service_name}".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hassil import Intents, parse_sentence, recognize_all
from hassil.expression import ListReference, TextChunk
from hassil.recognize import RecognizeResult
from pydantic import JsonValue

from intendant.intents import Intent
from intendant.templates import ABSENT, PRESENT, first_words, fixed_value, slots_of, walk, words_for
from intendant.wording import ARTICLES, COMMANDS, FUNCTION_WORDS, JOINERS, NO_NAMES, SEPARATOR, Token, is_ordinary

#: for each way to order a removal, the orders that it takes back
REMOVALS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("uninstall",): ("install", "add", "set up"),
    ("purge",): ("install", "add", "set up"),
    ("remove",): ("install", "add", "set up", "create"),
    ("get", "rid", "of"): ("install", "add", "set up", "create"),
    ("delete",): ("create", "set up"),
}
_PLACEHOLDER = re.compile(r"zqv(\d+)vqz")
_NAME = re.compile(r"(?=.*[^\W\d_])\w[\w.+:@=~-]*")
_VERSION = re.compile(r"\d+([-.+~:]?([a-z]*\d+|lts))*")
_PATH = re.compile(r"~?/[^\s\"'`;&|<>$(){}*?\[\]]*")
_PATH_SUFFIXES = ("_path", "_dir", "_file", "_source", "_src", "_dest", "_target", "_home", "_shell")
_PROSE_SUFFIXES = ("_content", "_line")
_SHAPED_SUFFIXES = (*_PATH_SUFFIXES, "_name", "_names", "_version", "_mode", "_owner", "_group", "_groups", "_user")


@dataclass(frozen=True)
class Reading:
    """One way to understand some words: an intent and, for each step, what its params are.

    ``literal`` counts the words that the template itself has, ``words`` all of them.
    """

    intent: str
    params: tuple[dict[str, JsonValue], ...]
    literal: int
    words: int


class Phrases:
    """The compiled phrases of a set of intents."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        self._intents = {intent.name: intent for intent in intents if intent.phrases}
        self._lists = {
            intent.name: {name: words for name, option in intent.options.items() if (words := words_for(name, option))}
            for intent in self._intents.values()
        }
        self._compiled = Intents.from_dict({"language": "en", "intents": {
            intent.name: {"data": [{"sentences": list(intent.phrases), "lists": self._slot_lists(intent)}]}
            for intent in self._intents.values()
        }})  # fmt: skip
        self._vocabulary = {"and"}
        self._first_words: dict[str, set[str]] = {}
        for intent in self._intents.values():
            self._learn_words(intent)
        #: words that a step may start with
        self.verbs = frozenset().union(*self._first_words.values()) - NO_NAMES

    def starts_step(self, word: str) -> bool:
        """Whether a step may start with the word, be it one that some intent answers to or not."""
        return word in self.verbs or word in COMMANDS

    def answers_to(self, intent: str, verb: str) -> bool:
        """Whether the intent has a phrase that starts with the verb."""
        return verb in self._first_words.get(intent, ())

    def read(self, tokens: Sequence[Token]) -> list[Reading]:
        """Every way to understand all of the tokens as steps of one intent."""
        readings = self._recognize(tokens)
        if readings:
            return readings
        words = [token.word for token in tokens]
        removal = next((order for order in REMOVALS if tuple(words[: len(order)]) == order), ())
        # No phrase says how to remove it: whatever can be installed so, and has the choice, can be removed so.
        found = []
        for verb in REMOVALS.get(removal, ()):
            positive = [*(Token(word) for word in verb.split()), *tokens[len(removal) :]]
            found += [reading for reading in map(self._negate, self._recognize(positive)) if reading]
        return found

    def _negate(self, reading: Reading) -> Reading | None:
        intent = self._intents[reading.intent]
        state = next((name for name in self._lists[intent.name] if name.endswith("_state")), None)
        if state is None or ABSENT not in self._lists[intent.name][state].values():
            return None
        required = intent.required()
        if any(name not in required for params in reading.params for name in params):
            return None
        return Reading(intent.name, tuple({**params, state: ABSENT} for params in reading.params),
                       reading.literal, reading.words)  # fmt: skip

    def _slot_lists(self, intent: Intent) -> dict[str, Any]:
        lists: dict[str, Any] = {}
        for name in intent.options:
            words = self._lists[intent.name].get(name)
            values = [{"in": text, "out": value} for text, value in words.items()] if words else None
            lists[name] = {"values": values} if values else {"wildcard": True}
        for reference in slots_of(intent):
            if fixed := fixed_value(reference.list_name, intent.options[reference.slot_name]):
                lists[reference.list_name] = {"values": [{"in": fixed[0], "out": fixed[1]}]}
        return lists

    def _learn_words(self, intent: Intent) -> None:
        lists = self._lists[intent.name]
        self._first_words[intent.name] = set()
        for phrase in intent.phrases:
            sentence = parse_sentence(phrase)
            for expression in walk(sentence.expression):
                if isinstance(expression, TextChunk):
                    self._vocabulary.update(expression.text.lower().split())
                elif isinstance(expression, ListReference):
                    texts = [expression.list_name.partition("=")[0], *lists.get(expression.slot_name, ())]
                    self._vocabulary.update(word for text in texts for word in text.split())
            self._first_words[intent.name] |= first_words(sentence.expression, lists)[0]

    def _recognize(self, tokens: Sequence[Token]) -> list[Reading]:
        words: list[str] = []
        for position, token in enumerate(tokens):
            if token.word == SEPARATOR:
                if words[-1:] != ["and"]:
                    words.append("and")
            elif token.word in self._vocabulary or token.word.isdigit():
                if token.word != "and" or words[-1:] != ["and"]:
                    words.append(token.text)
            else:
                # hassil strips punctuation and splits at hyphens: values go through it under names of their own.
                words.append(f"zqv{position}vqz")
        if not words:
            return []
        readings = []
        for result in recognize_all(" ".join(words), self._compiled):
            reading = self._convert(result, words, tokens)
            if reading is not None and reading not in readings:
                readings.append(reading)
        return readings

    def _convert(self, result: RecognizeResult, words: Sequence[str], tokens: Sequence[Token]) -> Reading | None:
        intent = self._intents[result.intent.name]
        params: dict[str, JsonValue] = {}
        several: tuple[str, list[JsonValue]] | None = None
        literal = [word.lower() for word in words]
        matched = 0
        for entity in result.entities_list:
            if entity.name in params:
                return None
            parts = entity.text.split()
            start = _find(literal, [part.lower() for part in parts])
            if start is None:
                return None
            if not entity.is_wildcard:
                params[entity.name] = entity.value
                matched += len(parts)
                del literal[start : start + len(parts)]
                continue
            after = start + len(parts)
            if _is_described(literal[start - 1 : start], literal[after : after + 1]):
                return None
            del literal[start:after]
            values = self._read_values(entity.name, intent.options[entity.name], parts, tokens)
            if not values:
                return None
            if (intent.options[entity.name].get("type") or "str") == "list":
                params[entity.name] = values
            elif len(values) == 1:
                params[entity.name] = values[0]
            elif intent.required() == [entity.name]:
                params[entity.name] = None
                several = (entity.name, values)
            else:
                return None
        if not self._infer_states(intent, params, literal):
            return None
        steps = tuple({**params, several[0]: value} for value in several[1]) if several else (params,)
        return Reading(intent.name, steps, len(literal) + matched, len(words))

    def _read_values(
        self, name: str, option: Mapping[str, Any], parts: Sequence[str], tokens: Sequence[Token]
    ) -> list[JsonValue]:
        """The values that the words of a wildcard stand for; empty when they are no clear names."""
        values: list[JsonValue] = []
        expects_value = True
        for part in parts:
            if not expects_value:
                if part.lower() not in JOINERS:
                    return []
                expects_value = True
                continue
            match = _PLACEHOLDER.fullmatch(part)
            token = tokens[int(match[1])] if match else Token(part)
            kind = (option.get("elements") if option.get("type") == "list" else option.get("type")) or "str"
            value = _read_value(name, kind, token)
            # After "and", a word that orders something is the next step rather than one more name.
            if value is None or (values and self.starts_step(token.word)):
                return []
            values.append(value)
            expects_value = False
        return [] if expects_value else values

    def _infer_states(self, intent: Intent, params: dict[str, JsonValue], literal: Sequence[str]) -> bool:
        """Add what the verbs say about states that no slot has read; False when they contradict each other."""
        spoken = f" {' '.join(literal)} "
        for name, words in self._lists[intent.name].items():
            if name in params or not name.endswith(("_state", "_enabled")):
                continue
            said = {value for text, value in words.items() if f" {text} " in spoken}
            if len(said) > 1:
                # "create the directory", "delete the directory": one of the two words says what there shall be.
                said = said & {ABSENT} or said - {PRESENT}
            if len(said) > 1:
                return False
            if said:
                params[name] = said.pop()
        for name, value in list(params.items()):
            # "install" says no more than asking for the intent does.
            if value == PRESENT == intent.defaults.get(name, intent.options[name].get("default")):
                del params[name]
        return True


def _read_value(name: str, kind: str, token: Token) -> JsonValue:
    text = token.text
    if kind == "int":
        return int(text) if text.isdecimal() else None
    if kind == "float":
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None
    if token.quoted and (text.startswith("/") or not name.endswith(_SHAPED_SUFFIXES)):
        return text
    if name.endswith(_PROSE_SUFFIXES):
        # What a file shall say cannot be told from what the request says, unless it is quoted.
        return None
    if kind == "path" or text.startswith(("/", "~")):
        return text if _PATH.fullmatch(text) and (kind == "path" or name.endswith(_PATH_SUFFIXES)) else None
    if name.endswith(_PATH_SUFFIXES):
        return None
    if name.endswith("_version"):
        return text if _VERSION.fullmatch(text) else None
    if name.endswith("_mode"):
        return text if re.fullmatch(r"[0-7]{3,4}", text) else None
    return text if _NAME.fullmatch(text) and not is_ordinary(token.word) else None


def _is_described(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether the words around a value make it a description, as in "a cache" or "restart the backend"."""
    if before and before[0] in ARTICLES:
        return True
    # "the nginx service" names something, "the backend" need not.
    return before == ["the"] and (not after or after[0] in FUNCTION_WORDS)


def _find(words: Sequence[str], parts: Sequence[str]) -> int | None:
    places = (start for start in range(len(words)) if list(words[start : start + len(parts)]) == list(parts))
    return next(places, None)
