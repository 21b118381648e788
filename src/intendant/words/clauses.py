"""Reads clauses, each of which is one step if it is clear; see ``splitting``. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from intendant.intents import Intent, Step
from intendant.words.frames import Frames
from intendant.words.hostnames import NOUNS, HostNames
from intendant.words.phrases import Phrases
from intendant.words.readings import Reading
from intendant.words.rephrasing import variants
from intendant.words.slots import missing_params
from intendant.words.tokens import Token
from intendant.words.vocabulary import ARRIVALS, COMMANDS, JOINERS
from intendant.words.wording import correct_verb, is_slip

#: orders to what is there already, which is never another intent by its name
_RUNNING = frozenset("start stop restart reload enable disable bounce".split())


@dataclass(frozen=True)
class Clause:
    """Words that may be one step. ``steps`` is empty unless one intent stands clear of the rest.

    ``doubt`` is a question about a value; ``rival`` the intent that may be meant instead. ``negations`` counts those
    that the steps take account of. ``is_judged`` says that something was read, be it clear or not.
    """

    readings: tuple[Reading, ...] = ()
    steps: tuple[Step, ...] = ()
    doubt: str = ""
    rival: str = ""
    negations: int = 0
    is_judged: bool = False


class ClauseReader:
    """Reads the clauses of requests by the phrases of intents."""

    def __init__(self, intents: Mapping[str, Intent], phrases: Phrases, names: Sequence[tuple[str, str]]) -> None:
        self._intents = intents
        self._phrases = phrases
        self._frames = Frames(list(intents.values()), phrases.starts_step)
        #: what intents are called, with their names
        self._names = names
        self._nouns = {name: _nouns(intent) for name, intent in intents.items()}

    def orders(self, word: str) -> bool:
        """Whether the word orders something."""
        return self._phrases.starts_step(word)

    def starts_step(self, tokens: Sequence[Token], position: int) -> bool:
        """Whether the next step may start there."""
        before = position - 1
        while before > 0 and tokens[before].word in {"please", "also", "then", "finally", "next", "afterwards"}:
            before -= 1
        joined = tokens[before].word in JOINERS or tokens[position - 1].word == "then"
        word = tokens[position].word
        return joined and (self._phrases.starts_step(word) or correct_verb(word, self._phrases.verbs) != word)

    def read(self, tokens: Sequence[Token], names: HostNames, *, may_imply: bool) -> Clause:
        """The words as one clause, by phrases; ``may_imply`` lets a thing alone stand for an order to set it up."""
        if not tokens:
            return Clause()
        tokens = self._with_verb(tokens)
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
                return replace(clause, readings=tuple(found), is_judged=True)
        return Clause(tuple(found))

    def read_framed(self, tokens: Sequence[Token], names: HostNames, phrased: Clause, *, may_imply: bool) -> Clause:
        """The words as one clause, by frames where no phrase fits; ``phrased`` is what they are by phrases."""
        if phrased.is_judged or not tokens:
            return phrased
        tokens = self._with_verb(tokens)
        found = list(phrased.readings)
        mended = self._phrases.relax(tokens)
        for way, no_values in ((list(tokens), frozenset[str]()), *([mended] if mended[0] != list(tokens) else [])):
            readings = self._frames.read(way, no_values, may_imply=may_imply)
            found += [reading for reading in readings if reading not in found]
            clause = self._judge(readings, way[0].word, names)
            if clause is not None:
                return replace(clause, readings=tuple(found), is_judged=True)
        return Clause(tuple(found))

    def _with_verb(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens with a slip of the keyboard in the first mended."""
        verb = correct_verb(tokens[0].word, self._phrases.verbs)
        return list(tokens) if verb == tokens[0].word else [Token(verb), *tokens[1:]]

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
        return Clause((), steps, doubt, rival, top[0].negations)

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
                    if not says_kind and (_looks_like(text, names.hosts) or _is_nearly_a_noun(text)):
                        return f"Is '{text}' meant to be a host? The inventory has no such name.", ""
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
        exact = {intent for other, intent in self._names if said == other}
        near = exact | {intent for other, intent in self._names if len(other) > 4 and is_slip(said, other)}
        if verb in _RUNNING:
            # "restart nginx" is about the service; "restart ngixn" perhaps, too
            is_name = any(said.replace("-", " ") == other for other, _ in self._names)
            return [] if exact or is_name else sorted(near - {meant})
        # "make sure git is installed"
        verb = "install" if verb in {"make", "ensure"} | ARRIVALS else verb
        if meant in near or not self._answers_to(meant, verb):
            return []
        return sorted(other for other in near if self._answers_to(other, verb))

    def _answers_to(self, intent: str, verb: str) -> bool:
        negated = {"uninstall": "install", "purge": "install", "remove": "install"}.get(verb, verb)
        answers = any(self._phrases.answers_to(intent, order) for order in (verb, negated))
        return answers or not self._intents[intent].phrases


def _looks_like(text: str, hosts: Sequence[str]) -> bool:
    """Whether the text is the name of a host but for the number: "web3" beside web1 and web2."""
    base = re.sub(r"\d+", "", text.lower())
    return base != text.lower() and any(base == re.sub(r"\d+", "", host.lower()) != host.lower() for host in hosts)


def _is_nearly_a_noun(text: str) -> bool:
    """ "sever" for "server"."""
    return any(len(noun) > 4 and is_slip(text.lower(), noun) for noun in NOUNS)


def _nouns(intent: Intent) -> frozenset[str]:
    """Words that say what kind of thing the intent is about."""
    words = {word for text in (intent.name, *intent.synonyms, *intent.tags) for word in text.lower().split("_")}
    words |= {f"{word}s" for word in words}
    return frozenset(words - COMMANDS)
