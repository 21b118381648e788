"""Matches one template with the words at one place of a request. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hassil.expression import Alternative, Expression, Group, ListReference, TextChunk
from pydantic import JsonValue

from intendant.words.readings import Reader
from intendant.words.slots import find_option, fixed_value
from intendant.words.templates import first_words, parse_template, walk
from intendant.words.tokens import Token
from intendant.words.values import says_name
from intendant.words.vocabulary import ARTICLES, FUNCTION_WORDS, NAMING_WORDS, PLAIN, PLAIN_NOUNS

#: how many words the values of one slot may take: four names joined by "and" or commas
_LONGEST_VALUE = 7
_OWNERS = frozenset({"user", "users", "account", "owner", "group", "groups"})
_GROUPS = frozenset({"group", "groups"})
_NOUNS = frozenset("user users account group owner service database db job".split())
#: what surely is the value of an option before it
_ARGUMENT = re.compile(r"\d[\w.:]*|[~./][\w./-]+|[\w.-]+[=:/][\w.:/-]+")


@dataclass(frozen=True)
class Match:
    """Where a match ends, the values that it read by slot, and the words of the template itself.

    ``telling`` are the words that stand for values.
    """

    end: int
    read: tuple[tuple[str, tuple[JsonValue, ...]], ...] = ()
    literal: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()


class Template:
    """A compiled template of one intent."""

    def __init__(self, text: str, reader: Reader, own: frozenset[str]) -> None:
        """``own`` are the words that the templates of the intent have."""
        self._own = own
        self._reader = reader
        self._fixed: dict[str, Expression] = {}
        #: by expression: the words that a match may start with, None when it may be any word or none
        self._openers: dict[int, frozenset[str] | None] = {}
        self._words: dict[int, tuple[str, ...]] = {}
        self._expression = self._parse(text)
        #: the words that a match may start with; None when it may be any word
        self.openers = self._openers[id(self._expression)]

    def match(self, tokens: Sequence[Token], start: int) -> Iterator[Match]:
        """Every match of at least one word that starts there."""
        if start < len(tokens) and (self.openers is None or tokens[start].word in self.openers):
            yield from (match for match in self._match(self._expression, tokens, start, start) if match.end > start)

    def _parse(self, text: str) -> Expression:
        expression = parse_template(text)
        for part in walk(expression):
            words, may_be_empty = first_words(part, self._reader.lists)
            self._openers[id(part)] = None if may_be_empty or self._starts_open(part) else frozenset(words)
            if isinstance(part, TextChunk):
                self._words[id(part)] = tuple(part.text.lower().split())
            elif isinstance(part, ListReference) and part.list_name != part.slot_name:
                fixed = fixed_value(part.list_name, find_option(self._reader.intent, part.slot_name) or {})
                if fixed and fixed[0] not in self._fixed:
                    self._fixed[fixed[0]] = self._parse(fixed[0])
        return expression

    def _starts_open(self, expression: Expression) -> bool:
        """Whether a slot that takes any word may come first."""
        if isinstance(expression, ListReference):
            return "=" not in expression.list_name and not self._reader.lists.get(expression.slot_name)
        if isinstance(expression, Alternative):
            return any(self._starts_open(item) for item in expression.items)
        if isinstance(expression, Group):
            for item in expression.items:
                if self._starts_open(item):
                    return True
                if not first_words(item, self._reader.lists)[1]:
                    return False
        return False

    def _match(self, expression: Expression, tokens: Sequence[Token], start: int, first: int) -> Iterator[Match]:
        """Matches from ``start``, of a template that began at ``first``."""
        openers = self._openers[id(expression)]
        if openers is not None and (start == len(tokens) or tokens[start].word not in openers):
            return
        if isinstance(expression, TextChunk):
            words = self._words[id(expression)]
            if tuple(token.word for token in tokens[start : start + len(words)]) == words:
                yield Match(start + len(words), literal=words)
        elif isinstance(expression, ListReference):
            yield from self._match_slot(expression, tokens, start, first)
        elif isinstance(expression, Alternative):
            for item in expression.items:
                yield from self._match(item, tokens, start, first)
        elif isinstance(expression, Group):
            yield from self._match_all(expression.items, tokens, start, first)

    def _match_all(
        self, items: Sequence[Expression], tokens: Sequence[Token], start: int, first: int
    ) -> Iterator[Match]:
        if not items:
            yield Match(start)
            return
        for one in self._match(items[0], tokens, start, first):
            for rest in self._match_all(items[1:], tokens, one.end, first):
                yield Match(rest.end, one.read + rest.read, one.literal + rest.literal, one.telling + rest.telling)

    def _match_slot(self, reference: ListReference, tokens: Sequence[Token], start: int, first: int) -> Iterator[Match]:
        slot, name = reference.slot_name, reference.list_name
        if name != slot:
            fixed = fixed_value(name, find_option(self._reader.intent, slot) or {})
            if fixed:
                for match in self._match(self._fixed[fixed[0]], tokens, start, first):
                    yield Match(match.end, ((slot, (self._wrap(slot, fixed[1]),)),), (), match.literal)
        elif words := self._reader.lists.get(slot):
            for text, value in words.items():
                said = tuple(text.lower().split())
                if tuple(token.word for token in tokens[start : start + len(said)]) == said:
                    yield Match(start + len(said), ((slot, (self._wrap(slot, value),)),), (), said)
        else:
            yield from self._match_values(slot, tokens, start, first)

    def _match_values(self, slot: str, tokens: Sequence[Token], start: int, first: int) -> Iterator[Match]:
        before = tokens[start - 1].word if start else ""
        initial = tokens[start].text[:1] if start < len(tokens) else ""
        # "a cache" describes something, "a 2G swap file" has a value
        if not initial or (before in ARTICLES and initial.isalpha()):
            return
        if slot.endswith("_command"):
            yield from self._match_command(slot, tokens, start)
            return
        longest = 1 if slot.endswith((".key", ".value")) else _LONGEST_VALUE
        for end in range(start + 1, min(start + longest, len(tokens)) + 1, 2):
            # "the user app"
            is_noun = start > first and ((before in _NOUNS and tokens[start].word in PLAIN_NOUNS) or before in _GROUPS)
            is_noun = is_noun and tokens[start].word not in PLAIN
            is_named = before in NAMING_WORDS or is_noun
            values = self._reader.read_values(slot, tokens[start:end], is_named=is_named)
            if not values:
                break
            if (
                says_name(slot)
                and not is_named
                and not self._may_name(tokens, start, end, slot, is_marked=start > first)
            ):
                continue
            yield Match(end, ((slot, tuple(values)),))

    def _may_name(self, tokens: Sequence[Token], start: int, end: int, slot: str, *, is_marked: bool) -> bool:
        """Whether the words may be names: neither orders nor words that say nothing, nor "the backend".

        A word of the templates themselves is a name only when it is marked as one: "user app".
        """
        words = [token.word for token in tokens[start:end:2]]
        # "pretend to …" is no name either
        is_verb = not slot.endswith(".key") and end < len(tokens) and tokens[end].word == "to"
        if not is_marked and (is_verb or not self._own.isdisjoint(words)):
            return False
        before = tokens[start - 1].word if start else ""
        # "the user deploy"
        may_order = is_marked and before in _OWNERS
        if any((self._reader.starts_step(word) and not may_order) or word in PLAIN for word in words):
            return False
        return before != "the" or (end < len(tokens) and tokens[end].word not in FUNCTION_WORDS)

    def _match_command(self, slot: str, tokens: Sequence[Token], start: int) -> Iterator[Match]:
        """A program by its path, with options that follow it and their values: "/usr/bin/api --port 8000"."""
        end = start + 1
        while True:
            text = " ".join(token.text for token in tokens[start:end])
            if not (values := self._reader.read_values(slot, [Token(text, tokens[start].quoted)], is_named=False)):
                return
            yield Match(end, ((slot, tuple(values)),))
            if end == len(tokens) or tokens[start].quoted:
                return
            is_option = tokens[end].text.startswith("-")
            is_value = (
                tokens[end - 1].text.startswith("-") and end - 1 > start and _ARGUMENT.fullmatch(tokens[end].text)
            )
            if not is_option and not is_value:
                return
            end += 1

    def _wrap(self, slot: str, value: JsonValue) -> JsonValue:
        _, _, key = slot.partition(".")
        if "." not in key:
            return {key: value} if key else value
        option = find_option(self._reader.intent, slot) or {}
        return {key: [[value] if option.get("type") == "list" else value]}


def texts_in(value: object) -> set[str]:
    """Every text in the values, in lower case."""
    if isinstance(value, Mapping):
        return texts_in(tuple(value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(texts_in, value))
    return {value.lower()} if isinstance(value, str) else set()
