"""Accounts for all words of a request by the templates of one frame, in whatever order they come. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from intendant.words.matching import Match, Template, texts_in
from intendant.words.rephrasing import from_gerund, from_participle
from intendant.words.tokens import Token
from intendant.words.values import says_name
from intendant.words.vocabulary import (
    ARRIVALS,
    DEPARTURES,
    FILLERS,
    MODALS,
    PARTICLES,
    PROFORMS,
    SETTINGS,
    SUBJECTS,
)
from intendant.words.wording import order_length

ARRIVAL, SETTING, DEPARTURE, OWN = "arrival", "setting", "departure", "own"
UNIVERSAL: Mapping[str, frozenset[str]] = {ARRIVAL: ARRIVALS, SETTING: SETTINGS, DEPARTURE: DEPARTURES}
_MOST_STATES = 3000


@dataclass(frozen=True)
class Tiling:
    """How far the words are accounted for, and by what.

    ``used`` are the templates used up, ``read`` the values by slot, ``literal`` the words of templates, ``telling``
    those that stand for values. ``kinds`` are the kinds of words passed: kinds of orders, "modal", "subject" and so on.
    """

    position: int = 0
    used: frozenset[int] = frozenset()
    read: tuple[tuple[str, tuple[JsonValue, ...]], ...] = ()
    literal: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()


class Tiler:
    """The templates of one frame, of which each is used once at most, but for orders.

    ``universal`` are the orders that every frame knows, by kind; ``required`` the slots that make an order complete.
    """

    def __init__(
        self, parts: Sequence[Template], orders: Sequence[Template], universal: Mapping[str, frozenset[str]],
        required: Collection[str],
    ) -> None:  # fmt: skip
        self._parts = parts
        self._orders = orders
        self._universal = universal
        self._required = required
        self._openers: frozenset[str] = frozenset().union(*(order.openers or () for order in orders))
        #: the single words that may be an order
        self.verbs = self._openers.union(*UNIVERSAL.values())

    def tile(self, tokens: Sequence[Token], thing: Match) -> Iterator[Tiling]:
        """Every way to account for all of the tokens, after the thing, which may be an empty match."""
        kinds = frozenset[str]() if thing.end else frozenset({"no thing"})
        todo = [Tiling(0, frozenset(), thing.read, thing.literal, thing.telling, kinds)]
        seen: set[tuple[object, ...]] = set()
        known: dict[int, list[tuple[Match, str, int]]] = {}
        while todo and len(seen) < _MOST_STATES:
            tiling = todo.pop()
            key = (tiling.position, tiling.used, repr(tiling.read), tiling.kinds)
            if key in seen:
                continue
            seen.add(key)
            if tiling.position == len(tokens):
                yield tiling
                continue
            if tiling.position not in known:
                known[tiling.position] = list(self._match(tokens, tiling.position))
            todo += self._advance(tokens[tiling.position].word, tiling, known[tiling.position])

    def _advance(self, word: str, tiling: Tiling, matches: Sequence[tuple[Match, str, int]]) -> Iterator[Tiling]:
        if kind := _filler_kind(word, tiling.kinds):
            yield replace(tiling, position=tiling.position + 1, kinds=tiling.kinds | {kind})
        for match, kind, number in matches:
            if number not in tiling.used and (not kind or kind == OWN or kind not in tiling.kinds):
                says_all = kind and {slot for slot, _ in match.read}.issuperset(self._required)
                yield Tiling(
                    match.end,
                    tiling.used if kind else tiling.used | {number},
                    tiling.read + match.read,
                    tiling.literal + match.literal,
                    tiling.telling + match.telling,
                    tiling.kinds | ({kind} if kind else set()) | ({"complete"} if says_all else set()),
                )

    def _match(self, tokens: Sequence[Token], start: int) -> Iterator[tuple[Match, str, int]]:
        """What may come next: the match, the kind of an order, and the number of a part."""
        for match, kind in self._match_orders(tokens, start):
            yield match, kind, -1
        for number, template in enumerate(self._parts):
            for match in filter(_is_clear, template.match(tokens, start)):
                yield match, "", number

    def _match_orders(self, tokens: Sequence[Token], start: int) -> Iterator[tuple[Match, str]]:
        word = tokens[start].word
        spoken = [(tokens[start], "")]
        if verb := from_participle(word, self.verbs) or from_gerund(word, self.verbs):
            spoken.append((Token(verb), "inflected "))
        for first, mark in spoken:
            said = [first, *tokens[start + 1 :]]
            for order in self._orders:
                for match in order.match(said, 0):
                    yield replace(match, end=start + match.end), mark + OWN
            for kind, orders in self._universal.items():
                if length := order_length(said, orders):
                    yield Match(start + length, literal=tuple(token.word for token in said[:length])), mark + kind


def _is_clear(match: Match) -> bool:
    """Whether a part is more than one plain word, which could be anything."""
    is_marked = bool(match.literal or match.telling)
    return is_marked or not any(
        text.isalpha() and says_name(slot) for slot, values in match.read for text in texts_in(values)
    )


def _filler_kind(word: str, kinds: frozenset[str]) -> str:
    """What a word says that is no part of a frame; empty when it may not be passed over."""
    if word in FILLERS:
        return "filler"
    if word in MODALS:
        return "modal"
    if word == "be":
        return "be"
    if word in {"me", "us"}:
        return "wordy" if kinds & {ARRIVAL, SETTING} else ""
    if word in PROFORMS:
        return "subject" if word in SUBJECTS and kinds.isdisjoint({*UNIVERSAL, OWN}) else "wordy"
    return "particle" if word in PARTICLES and DEPARTURE in kinds else ""
