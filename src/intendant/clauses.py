"""Splits a request into clauses, each of which is one step if it is clear. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from intendant.hostnames import HostNames
from intendant.intents import Intent, Step
from intendant.phrases import Phrases
from intendant.readings import Reading
from intendant.rephrasing import variants
from intendant.slots import missing_params
from intendant.vocabulary import COMMANDS, JOINERS
from intendant.wording import Token, correct_verb, is_slip, strip_politeness

MAX_STEPS = 8
#: orders that go on in a list of things: "install git and nginx", "set the timezone to … and the locale to …"
_LASTING = frozenset({"install", "uninstall", "set", "change", "setup", "open", "allow"})

#: orders to what is there already, which is never another intent by its name
_RUNNING = frozenset("start stop restart reload enable disable bounce".split())


@dataclass(frozen=True)
class Clause:
    """Words that may be one step. ``steps`` is empty unless one intent stands clear of the rest.

    ``doubt`` is a question about a value; ``rival`` the intent that may be meant instead.
    """

    readings: tuple[Reading, ...] = ()
    steps: tuple[Step, ...] = ()
    doubt: str = ""
    rival: str = ""


class ClauseReader:
    """Reads the clauses of requests by the phrases of intents."""

    def __init__(self, intents: Mapping[str, Intent], phrases: Phrases, names: Sequence[tuple[str, str]]) -> None:
        self._intents = intents
        self._phrases = phrases
        #: what intents are called, with their names
        self._names = names
        self._nouns = {name: _nouns(intent) for name, intent in intents.items()}

    def split(self, tokens: Sequence[Token], names: HostNames, *, may_imply: bool) -> list[Clause]:
        """The fewest clauses that are all clear; the whole request as one clause when there is no such split."""
        whole = self._read(tokens, names, may_imply=may_imply)
        if whole.steps:
            return [whole]
        orders = [0, *(position for position in range(1, len(tokens)) if self._starts_step(tokens, position))]
        things = [n for n in range(1, len(tokens)) if tokens[n - 1].word in JOINERS and tokens[n].word not in JOINERS]
        for starts in (orders, sorted({*orders, *things})):
            if 1 < len(starts) <= MAX_STEPS:
                splits = self._read_splits(tokens, starts, set(orders), names)
                if len(splits) == 1:
                    return splits[0]
        return [whole]

    def _read_splits(
        self, tokens: Sequence[Token], starts: Sequence[int], orders: set[int], names: HostNames
    ) -> list[list[Clause]]:
        bounds = [*starts, len(tokens)]

        def read(first: int, last: int) -> Clause:
            words = list(tokens[bounds[first] : bounds[last]])
            if bounds[first] not in orders:
                order = max(start for start in orders if start < bounds[first])
                words = [*_lasting_order(tokens[order:]), *words]
                if len(words) == bounds[last] - bounds[first]:
                    return Clause()
            return self._read(strip_politeness(words), names)

        # best[i]: the splits of everything before bound i into the fewest clear clauses.
        best: list[list[list[Clause]]] = [[[]]]
        for last in range(1, len(bounds)):
            splits = []
            for first in (first for first in range(last) if best[first]):
                clause = read(first, last)
                splits += [[*split, clause] for split in best[first] if clause.steps]
            fewest = min(map(len, splits), default=0)
            best.append([split for split in splits if len(split) == fewest])
        return best[-1]

    def _starts_step(self, tokens: Sequence[Token], position: int) -> bool:
        before = position - 1
        while before > 0 and tokens[before].word in {"please", "also", "then", "finally", "next", "afterwards"}:
            before -= 1
        joined = tokens[before].word in JOINERS or tokens[position - 1].word == "then"
        word = tokens[position].word
        return joined and (self._phrases.starts_step(word) or correct_verb(word, self._phrases.verbs) != word)

    def _read(self, tokens: Sequence[Token], names: HostNames, *, may_imply: bool = False) -> Clause:
        if not tokens:
            return Clause()
        verb = correct_verb(tokens[0].word, self._phrases.verbs)
        if verb != tokens[0].word:
            tokens = [Token(verb), *tokens[1:]]
        found: list[Reading] = []
        ways = list(variants(tokens, self._phrases.orders, may_imply=may_imply))
        relaxed = [(self._phrases.relax(way), literal) for way, literal in ways]
        attempts = [((way, frozenset[str]()), literal) for way, literal in ways]
        attempts += [(way, literal) for way, literal in relaxed if way[0] not in [known for known, _ in ways]]
        for (way, no_values), literal in attempts:
            readings = [reading for reading in self._phrases.read(way, no_values) if reading.literal >= literal]
            found += [reading for reading in readings if reading not in found]
            clause = self._judge(readings, way[0].word, names)
            if clause is not None:
                return replace(clause, readings=tuple(found))
        return Clause(tuple(found))

    def _judge(self, readings: Sequence[Reading], verb: str, names: HostNames) -> Clause | None:
        """The clause that the readings make; None when none of them is complete."""
        complete = [reading for reading in readings if not self.missing(reading)]
        if not complete:
            return None
        strongest = max(reading.literal for reading in readings)
        top = [reading for reading in readings if reading.literal == strongest]
        if len(top) > 1 or self.missing(top[0]):
            return Clause()
        doubt, rival = self._doubt(top[0], verb, names)
        steps = () if doubt else tuple(Step(intent=top[0].intent, params=params) for params in top[0].params)
        return Clause((), steps, doubt, rival)

    def missing(self, reading: Reading) -> list[str]:
        """The required params that the words do not say."""
        return missing_params(self._intents[reading.intent], reading.params[0])

    def _doubt(self, reading: Reading, verb: str, names: HostNames) -> tuple[str, str]:
        """Why a value may be something else: a host, or another intent, which is named in that case."""
        intent = self._intents[reading.intent]
        says_kind = not self._nouns[reading.intent].isdisjoint(reading.spoken)
        for params in reading.params:
            for name, value in params.items():
                values = value if isinstance(value, list) else [value]
                for text in (
                    text for text in values if isinstance(text, str) and not intent.options[name].get("choices")
                ):
                    if text.lower() in names.hosts_by_key or (len(values) > 1 and text in names.groups):
                        return f"Is '{text}' the host, or a value for {name}?", ""
                    rivals = [] if says_kind else self._rivals(reading.intent, text, verb)
                    if rivals:
                        missing = ", ".join(self._intents[rivals[0]].required())
                        wanted = f" Then what is {missing}?" if missing else ""
                        question = f"Is '{text}' a value for {name} of {reading.intent}, or is {rivals[0]} meant?"
                        return question + wanted, rivals[0]
        return "", ""

    def _rivals(self, meant: str, text: str, verb: str) -> list[str]:
        """The intents that a value may be the name of, when they can be asked for by the same verb."""
        said = text.lower()
        near = {intent for other, intent in self._names if said == other or (len(other) > 4 and is_slip(said, other))}
        # "make sure git is installed"
        verb = "install" if verb in {"make", "ensure"} else verb
        if meant in near or verb in _RUNNING or not self._answers_to(meant, verb):
            return []
        return sorted(other for other in near if self._answers_to(other, verb))

    def _answers_to(self, intent: str, verb: str) -> bool:
        negated = {"uninstall": "install", "purge": "install", "remove": "install"}.get(verb, verb)
        answers = any(self._phrases.answers_to(intent, order) for order in (verb, negated))
        return answers or not self._intents[intent].phrases


def _lasting_order(tokens: Sequence[Token]) -> list[Token]:
    words = [token.word for token in tokens[:2]]
    if words == ["set", "up"]:
        return list(tokens[:2])
    return list(tokens[:1]) if words and words[0] in _LASTING else []


def _nouns(intent: Intent) -> frozenset[str]:
    """Words that say what kind of thing the intent is about."""
    words = {word for text in (intent.name, *intent.synonyms, *intent.tags) for word in text.lower().split("_")}
    words |= {f"{word}s" for word in words}
    return frozenset(words - COMMANDS)
