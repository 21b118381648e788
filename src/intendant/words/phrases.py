"""Reads steps out of words by the phrases of intents; see ``templates`` for what a phrase may hold.

What a phrase leaves open about ``*_state`` and ``*_enabled`` is read from its verbs: "restart {service_name}".
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hassil import Intents, recognize_all

from intendant.intents import Intent
from intendant.words.readings import Reader, Reading, placeholder
from intendant.words.slots import all_slots, fixed_value
from intendant.words.templates import ABSENT, first_words, parse_template, slots_of, words_for, words_of
from intendant.words.tokens import Token
from intendant.words.vocabulary import ARTICLES, COMMANDS, FUNCTION_WORDS, NO_NAMES, PLAIN, SEPARATOR
from intendant.words.wording import correct_word

#: for each way to order a removal, the orders that it takes back
REMOVALS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("uninstall",): ("install", "add", "set up"),
    ("purge",): ("install", "add", "set up"),
    ("remove",): ("install", "add", "set up", "create"),
    ("get", "rid", "of"): ("install", "add", "set up", "create"),
    ("delete",): ("create", "set up"),
}


#: stands before a time, because hassil cannot tell two neighbouring values apart
_TIME = "zqtime"
_SCHEDULE = re.compile(r"\{[a-z_.]*_(?:schedule|calendar)\}")


class Phrases:
    """The compiled phrases of a set of intents."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        self._intents = {intent.name: intent for intent in intents if intent.phrases}
        self._slots = {name: all_slots(intent) for name, intent in self._intents.items()}
        self._lists = {
            name: {slot: words for slot, option in slots.items() if (words := words_for(slot, option))}
            for name, slots in self._slots.items()
        }
        compiled = {name: {"data": [self._compile(intent)]} for name, intent in self._intents.items()}
        self._compiled = Intents.from_dict({"language": "en", "intents": compiled})
        #: the words that the phrases of each intent have
        self.words: dict[str, set[str]] = {intent.name: set() for intent in intents}
        self._first_words: dict[str, set[str]] = {}
        self._frame_orders = {
            intent.name: {word for text in intent.frame.orders for word in first_words(parse_template(text), {})[0]}
            for intent in intents
        }
        for intent in self._intents.values():
            self._learn_words(intent)
        framed = {
            intent.name: set[str]().union(*(words_of(text, {}) for text in intent.frame.templates()))
            for intent in intents
        }
        #: what says something about each intent
        self._telling = {name: (words | self.words[name]) - PLAIN - FUNCTION_WORDS for name, words in framed.items()}
        self._vocabulary = {"and"}.union(*self.words.values())
        #: what a slip of the keyboard may have been meant to be
        self.known = self._vocabulary.union(*framed.values())
        nouns = {word for intent in self._intents.values() for word in _nouns(intent)}
        #: words that a step may start with; "git" of "git clone" is the name of something all the same
        self.verbs = frozenset().union(*self._first_words.values()) - NO_NAMES - nouns
        #: what orders something, in whatever form it comes
        self.orders = self.verbs | COMMANDS
        self._readers = {
            intent.name: Reader(intent, self._lists[intent.name], self.starts_step, self.words[intent.name])
            for intent in self._intents.values()
        }

    def starts_step(self, word: str) -> bool:
        """Whether a step may start with the word, be it one that some intent answers to or not."""
        return word in self.verbs or word in COMMANDS

    def knows(self, intent: str, words: Collection[str]) -> bool:
        """Whether one of the words is one that the intent has a use for."""
        return not self._telling.get(intent, frozenset()).isdisjoint(words)

    def answers_to(self, intent: str, verb: str) -> bool:
        """Whether the intent has a phrase that starts with the verb."""
        return verb in self._first_words.get(intent, ())

    def is_order_for(self, intent: str, verb: str) -> bool:
        """Whether the intent may be asked for with the verb, be it in a phrase or in its frame."""
        return self.answers_to(intent, verb) or verb in self._frame_orders.get(intent, ())

    def read(self, tokens: Sequence[Token], no_values: frozenset[str] = frozenset()) -> list[Reading]:
        """Every way to understand all of the tokens as steps of one intent; ``no_values`` are no part of a value."""
        readings = self._recognize(tokens, no_values)
        words = [token.word for token in tokens]
        removal = next((order for order in REMOVALS if tuple(words[: len(order)]) == order), ())
        # Whatever can be installed so, and has the choice, can be removed so, even when no phrase says it.
        for verb in REMOVALS.get(removal, ()):
            positive = [*(Token(word) for word in verb.split()), *tokens[len(removal) :]]
            for reading in map(self._negate, self._recognize(positive, no_values)):
                if reading and not any((reading.intent, reading.params) == (o.intent, o.params) for o in readings):
                    readings.append(reading)
        return readings

    def relax(self, tokens: Sequence[Token]) -> tuple[list[Token], frozenset[str]]:
        """The tokens with slips of the keyboard mended and articles left out where a phrase has the word after them.

        Also the words that were taken for words of phrases by that, and so are no part of a value.
        """
        mended: list[Token] = []
        for token in tokens:
            # a setting as in "vm.swappiness=10"
            key, equals, value = token.text.partition("=") if not token.quoted else (token.text, "", "")
            split = equals and value and "." in key
            mended += (
                [Token(key), Token("to"), Token(value)] if split else [Token("to") if token.word == "=" else token]
            )
        # "sshd's port"
        owners = {token.word.removesuffix("'s") for token in mended if token.word.endswith("'s")} & self._vocabulary
        mended = [Token(token.word.removesuffix("'s")) if token.word[:-2] in owners else token for token in mended]
        known = {correct_word(token.word, self.known) for token in mended}
        changed = {word for word in known if word not in {token.word for token in mended}}
        relaxed: list[Token] = []
        for position, token in enumerate(mended):
            word = correct_word(token.word, self.known)
            following = mended[position + 1].word if position + 1 < len(mended) else ""
            following = correct_word(following, self._vocabulary)
            if word in ARTICLES | {"the", "this"} and following in self._vocabulary and following != "and":
                changed.add(following)
            else:
                relaxed.append(token if word == token.word else Token(word))
        return relaxed, frozenset(changed)

    def _negate(self, reading: Reading) -> Reading | None:
        intent = self._intents[reading.intent]
        state = next((name for name in self._lists[intent.name] if name.endswith("_state") and "." not in name), None)
        if state is None or ABSENT not in self._lists[intent.name][state].values():
            return None
        required = intent.required()
        if any(name not in required for params in reading.params for name in params):
            return None
        return Reading(intent.name, tuple({**params, state: ABSENT} for params in reading.params),
                       reading.literal, reading.words, reading.spoken)  # fmt: skip

    def _compile(self, intent: Intent) -> dict[str, Any]:
        phrases = [_SCHEDULE.sub(lambda slot: f"{_TIME} {slot[0]}", phrase) for phrase in intent.phrases]
        return {"sentences": phrases, "lists": self._slot_lists(intent)}

    def _slot_lists(self, intent: Intent) -> dict[str, Any]:
        lists: dict[str, Any] = {}
        slots = self._slots[intent.name]
        for reference in slots_of(intent):
            slot = reference.slot_name
            if reference.list_name != slot:
                if fixed := fixed_value(reference.list_name, slots[slot]):
                    lists[reference.list_name] = {"values": [{"in": fixed[0], "out": fixed[1]}]}
                continue
            words = self._lists[intent.name].get(slot)
            values = [{"in": text, "out": value} for text, value in words.items()] if words else None
            lists[slot] = {"values": values} if values else {"wildcard": True}
        return lists

    def _learn_words(self, intent: Intent) -> None:
        lists = self._lists[intent.name]
        self._first_words[intent.name] = set()
        for phrase in intent.phrases:
            self.words[intent.name] |= words_of(phrase, lists)
            self._first_words[intent.name] |= first_words(parse_template(phrase), lists)[0]

    def _recognize(self, tokens: Sequence[Token], no_values: frozenset[str]) -> list[Reading]:
        words: list[str] = []
        for position, token in enumerate(tokens):
            if token.word == SEPARATOR:
                if words[-1:] != ["and"]:
                    words.append("and")
            elif token.is_time:
                words += [_TIME, placeholder(position)]
            elif token.word in self._vocabulary or token.word.isdigit():
                if token.word != "and" or words[-1:] != ["and"]:
                    words.append(token.text)
            else:
                # hassil strips punctuation and splits at hyphens: values go through it under names of their own.
                words.append(placeholder(position))
        if not words:
            return []
        readings: list[Reading] = []
        for result in recognize_all(" ".join(words), self._compiled):
            reader = self._readers[result.intent.name]
            reading = reader.convert(result.entities_list, words, tokens, no_values)
            if reading is not None and reading not in readings:
                readings.append(reading)
        return readings


def _nouns(intent: Intent) -> set[str]:
    """What the intent is called, in single words; some of its phrases may start with them."""
    names = {*intent.name.rpartition(".")[2].lower().split("_"), *map(str.lower, (*intent.synonyms, *intent.tags))}
    return names - COMMANDS
