"""Splits a request into the fewest clauses that are all clear. Pure."""

from collections.abc import Iterator, Sequence

from intendant.words.clauses import Clause, ClauseReader
from intendant.words.hostnames import HostNames
from intendant.words.tokens import Token
from intendant.words.vocabulary import ARRIVALS, DEPARTURES, JOINERS, MODALS, SETTINGS
from intendant.words.wording import order_length, strip_politeness

MAX_STEPS = 8
#: orders that go on in a list of things: "install git and nginx", "set the timezone to … and the locale to …"
_LASTING = frozenset({"install", "uninstall", "set", "change", "setup", "open", "allow", "need", "needs"})
_BRINGING = _LASTING | ARRIVALS | SETTINGS


class Splitter:
    """Finds the clauses of one request."""

    def __init__(self, reader: ClauseReader, tokens: Sequence[Token], names: HostNames, *, may_imply: bool) -> None:
        self._reader = reader
        self._tokens = tokens
        self._names = names
        self._may_imply = may_imply
        self._known: dict[tuple[tuple[Token, ...], bool, bool], Clause] = {}
        places = range(1, len(tokens))
        self._orders = [0, *(place for place in places if reader.starts_step(tokens, place))]
        joined = [place for place in places if tokens[place - 1].word in JOINERS and tokens[place].word not in JOINERS]
        self._things = sorted({*self._orders, *joined})

    def split(self) -> list[Clause]:
        """The clauses; the whole request as one when there is no such split."""
        whole = self._read(self._tokens, may_imply=self._may_imply, may_frame=False)
        if whole.steps:
            return [whole]
        clear = next((split for split in self._attempts() if all(clause.steps for clause in split)), None)
        return clear or [self._framed()]

    def _attempts(self) -> Iterator[list[Clause]]:
        """Ways to split, the surer ones first: a frame passes over "and", so what can be several orders is several."""
        yield from self._unique_split(self._orders, may_frame=False)
        yield from self._unique_split(self._things, may_frame=False)
        yield from self._unique_split(self._orders, may_frame=True, may_imply=False)
        yield [self._framed()]
        yield from self._unique_split(self._things, may_frame=True)

    def _framed(self) -> Clause:
        return self._read(self._tokens, may_imply=self._may_imply, may_frame=True)

    def _unique_split(
        self, starts: Sequence[int], *, may_frame: bool, may_imply: bool = True
    ) -> Iterator[list[Clause]]:
        if 1 < len(starts) <= MAX_STEPS:
            splits = self._read_splits(starts, may_frame=may_frame, may_imply=may_imply)
            if len(splits) == 1:
                yield splits[0]

    def _read_splits(self, starts: Sequence[int], *, may_frame: bool, may_imply: bool) -> list[list[Clause]]:
        """Every split into the fewest clear clauses, but at least two."""
        bounds = [*starts, len(self._tokens)]
        # best[i]: the splits of everything before bound i into the fewest clear clauses.
        best: list[list[list[Clause]]] = [[[]]]
        for last in range(1, len(bounds)):
            splits = []
            for first in (first for first in range(last) if best[first] and last - first < len(starts)):
                clause = self._read_part(bounds[first], bounds[last], may_frame=may_frame, may_imply=may_imply)
                splits += [[*split, clause] for split in best[first] if clause.steps]
            fewest = min(map(len, splits), default=0)
            best.append([split for split in splits if len(split) == fewest])
        return best[-1]

    def _read_part(self, start: int, end: int, *, may_frame: bool, may_imply: bool) -> Clause:
        words = list(self._tokens[start:end])
        may_imply = may_frame and may_imply and self._may_imply and not self._reader.orders(self._tokens[0].word)
        before = self._tokens[max((place for place in self._orders if place < start), default=0) :]
        taken = self._other_order(before) if start not in self._orders else []
        if (start in self._orders or may_frame) and (not taken or self._has_order(words)):
            alone = self._read(strip_politeness(words), may_imply=may_imply, may_frame=may_frame)
            if alone.steps or start in self._orders:
                return alone
        order = taken or _lasting_order(before)
        return (
            self._read(strip_politeness([*order, *words]), may_imply=False, may_frame=may_frame) if order else Clause()
        )

    def _other_order(self, tokens: Sequence[Token]) -> list[Token]:
        """The order in front where it is none to bring something: what follows "remove nginx and" goes, too."""
        if length := order_length(tokens, DEPARTURES):
            return list(tokens[:length])
        word = tokens[0].word
        return list(tokens[:1]) if self._reader.orders(word) and word not in _BRINGING else []

    def _has_order(self, tokens: Sequence[Token]) -> bool:
        return any(self._reader.orders(token.word) or token.word in MODALS for token in tokens)

    def _read(self, tokens: Sequence[Token], *, may_imply: bool, may_frame: bool) -> Clause:
        key = (tuple(tokens), may_imply, may_frame)
        if key not in self._known:
            if may_frame:
                phrased = self._read(tokens, may_imply=may_imply, may_frame=False)
                found = self._reader.read_framed(tokens, self._names, phrased, may_imply=may_imply)
            else:
                found = self._reader.read(tokens, self._names, may_imply=may_imply)
            self._known[key] = found
        return self._known[key]


def _lasting_order(tokens: Sequence[Token]) -> list[Token]:
    words = [token.word for token in tokens[:2]]
    if words == ["set", "up"]:
        return list(tokens[:2])
    return list(tokens[:1]) if words and words[0] in _LASTING else []
