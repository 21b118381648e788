"""From a request in words to steps: certain where the words leave no choice, else candidates and a question. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from rapidfuzz import fuzz, process

from intendant.intents import Intent, Step
from intendant.mentions import HostNames, Mentions, explain_unknown_host, read_mentions
from intendant.phrases import Phrases, Reading
from intendant.schemas import join_description
from intendant.wording import (
    ARTICLES,
    COMMANDS,
    FUNCTION_WORDS,
    JOINERS,
    Token,
    Wording,
    correct_verb,
    is_slip,
    read_wording,
    strip_politeness,
)

MAX_REQUEST = 4000
MAX_WORDS = 80
MAX_STEPS = 8
MAX_CANDIDATES = 5
MIN_SCORE = 45.0
VERB_SCORE = 60.0


class Candidate(BaseModel):
    """An intent that may be meant. ``score`` is 0..100; ``missing`` names required params that were not read."""

    model_config = ConfigDict(frozen=True)

    intent: str
    title: str
    score: float
    params: dict[str, JsonValue] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)


class Resolution(BaseModel):
    """What a request means.

    ``steps`` is filled only when the words leave no choice of intents and params. ``hosts`` is an Ansible host
    pattern. ``certain`` says that both are known. When it is False, ``question`` says what to ask; ``steps`` without
    ``certain`` means that only the hosts are missing.
    """

    model_config = ConfigDict(frozen=True)

    certain: bool
    steps: list[Step] = Field(default_factory=list)
    hosts: str = ""
    candidates: list[Candidate] = Field(default_factory=list)
    question: str = ""


@dataclass(frozen=True)
class _Clause:
    """Words that may be one step. ``steps`` is empty unless one intent stands clear of the rest.

    ``doubt`` is a question about a value; ``rival`` the intent that may be meant instead.
    """

    readings: tuple[Reading, ...]
    steps: tuple[Step, ...] = ()
    doubt: str = ""
    rival: str = ""


class Resolver:
    """Resolves requests against a fixed set of intents, whose phrases it compiles once."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        self._intents = {intent.name: intent for intent in intents}
        self._phrases = Phrases(intents)
        self._names = [(_plain(name), intent.name) for intent in intents for name in (intent.name, *intent.synonyms)]
        roles = {re.escape(intent.name.rpartition(".")[2].lower()) for intent in intents}
        self._versioned = re.compile(rf"({'|'.join(sorted(roles)) or '(?!)'})-?(\d+(?:\.\d+)+)")

    def resolve(self, request: str, hosts: Sequence[str], groups: Sequence[str]) -> Resolution:
        """What the request means for an inventory with these hosts and groups. Never guesses; see ``Resolution``."""
        wording = read_wording(request[:MAX_REQUEST])
        if not wording.tokens or len(wording.tokens) > MAX_WORDS or len(request) > MAX_REQUEST:
            problem = "too long to be read safely" if wording.tokens else "empty"
            return Resolution(certain=False, question=f"The request is {problem}. Say what to change on which hosts, "
                              'such as "install git on web1".')  # fmt: skip
        names = HostNames(hosts, groups)
        mentions = read_mentions(wording.tokens, names, self._phrases.starts_step)
        tokens = self._prepare(strip_politeness(mentions.rest))
        clauses = self._split(tokens, names)
        steps = [step for clause in clauses for step in clause.steps] if all(c.steps for c in clauses) else []
        candidates = self._rank(tokens, clauses)
        question = self._question(wording, mentions, tokens, clauses, steps, candidates, names)
        if question:
            return Resolution(certain=False, candidates=candidates, question=question, hosts=mentions.pattern)
        pattern = mentions.pattern or (hosts[0] if len(hosts) == 1 else "")
        if not pattern:
            listed = f" Known: {', '.join([*names.groups, *hosts][:10])}." if hosts else " The inventory has no hosts."
            question = f"On which hosts?{listed}"
        return Resolution(certain=bool(pattern), steps=steps, hosts=pattern, candidates=candidates, question=question)

    def _prepare(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens with "python3.12" taken apart where python is an intent."""
        prepared: list[Token] = []
        for token in tokens:
            match = self._versioned.fullmatch(token.word)
            prepared += [Token(match[1]), Token(match[2])] if match else [token]
        return prepared

    def _split(self, tokens: Sequence[Token], names: HostNames) -> list[_Clause]:
        """The fewest clauses that are all clear; the whole request as one clause when there is no such split."""
        starts = [0, *(position for position in range(1, len(tokens)) if self._starts_step(tokens, position))]
        starts = starts if len(starts) <= MAX_STEPS else starts[:1]
        bounds = [*starts, len(tokens)]
        read = {
            (first, last): self._read_clause(strip_politeness(tokens[bounds[first] : bounds[last]]), names)
            for first in range(len(starts)) for last in range(first + 1, len(bounds))
        }  # fmt: skip
        # best[i]: the splits of everything before bound i into the fewest clear clauses.
        best: list[list[list[_Clause]]] = [[[]]]
        for last in range(1, len(bounds)):
            splits = [[*split, read[first, last]] for first in range(last) if read[first, last].steps
                      for split in best[first]]  # fmt: skip
            fewest = min(map(len, splits), default=0)
            best.append([split for split in splits if len(split) == fewest])
        if len(best[-1]) == 1:
            return best[-1][0]
        return [read[0, len(starts)]]

    def _starts_step(self, tokens: Sequence[Token], position: int) -> bool:
        before = position - 1
        while before > 0 and tokens[before].word in {"please", "also", "then"}:
            before -= 1
        joined = tokens[before].word in JOINERS or tokens[position - 1].word == "then"
        word = tokens[position].word
        return joined and (self._phrases.starts_step(word) or correct_verb(word, self._phrases.verbs) != word)

    def _read_clause(self, tokens: Sequence[Token], names: HostNames) -> _Clause:
        if not tokens:
            return _Clause(())
        verb = correct_verb(tokens[0].word, self._phrases.verbs)
        if verb != tokens[0].word:
            tokens = [Token(verb), *tokens[1:]]
        readings = self._phrases.read(tokens)
        complete = [reading for reading in readings if not self._missing(reading)]
        if not complete:
            return _Clause(tuple(readings))
        strongest = max(reading.literal for reading in readings)
        top = [reading for reading in readings if reading.literal == strongest]
        if len(top) > 1 or self._missing(top[0]):
            return _Clause(tuple(readings))
        reading = top[0]
        doubt, rival = self._doubt(reading, verb, names)
        steps = () if doubt else tuple(Step(intent=reading.intent, params=params) for params in reading.params)
        return _Clause(tuple(readings), steps, doubt, rival)

    def _missing(self, reading: Reading) -> list[str]:
        return [name for name in self._intents[reading.intent].required() if name not in reading.params[0]]

    def _doubt(self, reading: Reading, verb: str, names: HostNames) -> tuple[str, str]:
        """Why a value may be something else: a host, or another intent, which is named in that case."""
        options = self._intents[reading.intent].options
        for params in reading.params:
            for name, value in params.items():
                values = value if isinstance(value, list) else [value]
                for text in (text for text in values if isinstance(text, str) and not options[name].get("choices")):
                    if text.lower() in names.hosts_by_key or (len(values) > 1 and text in names.groups):
                        return f"Is '{text}' the host, or a value for {name}?", ""
                    near = {intent for other, intent in self._names if is_slip(text.lower(), other)}
                    rivals = sorted(
                        other
                        for other in near
                        if self._phrases.answers_to(other, verb) or not self._intents[other].phrases
                    )
                    if rivals and reading.intent not in near:
                        missing = ", ".join(self._intents[rivals[0]].required())
                        wanted = f" Then what is {missing}?" if missing else ""
                        question = f"Is '{text}' a value for {name} of {reading.intent}, or is {rivals[0]} meant?"
                        return question + wanted, rivals[0]
        return "", ""

    def _rank(self, tokens: Sequence[Token], clauses: Sequence[_Clause]) -> list[Candidate]:
        """The intents that may be meant, best first: those that were read, then those whose words are near."""
        ranked: dict[str, Candidate] = {}
        for clause in clauses:
            for reading in sorted(clause.readings, key=lambda reading: (len(self._missing(reading)), -reading.literal)):
                score = 100.0 if clause.steps else 90.0 + 9.0 * reading.literal / reading.words
                if reading.intent not in ranked:
                    ranked[reading.intent] = self._candidate(reading.intent, score, reading.params[0])
            if clause.rival and clause.rival not in ranked:
                params = _evident_params(self._intents[clause.rival], tokens)
                ranked[clause.rival] = self._candidate(clause.rival, 99.0, params)
        words = _content_words(token.word for token in tokens)
        verb = correct_verb(words[0], self._phrases.verbs) if words else ""
        for name, intent in self._intents.items():
            # An intent that answers to the verb may be meant, whatever else is said.
            score = max(_similarity(words, intent), VERB_SCORE if self._phrases.answers_to(name, verb) else 0.0)
            if name not in ranked and score >= MIN_SCORE:
                ranked[name] = self._candidate(name, min(score, 89.0), _evident_params(intent, tokens))
        ordered = sorted(ranked.values(), key=lambda candidate: (-candidate.score, candidate.intent))
        return ordered[:MAX_CANDIDATES]

    def _candidate(self, name: str, score: float, params: dict[str, JsonValue]) -> Candidate:
        intent = self._intents[name]
        missing = [required for required in intent.required() if required not in params]
        return Candidate(intent=name, title=intent.title, score=round(score, 1), params=params, missing=missing)

    def _question(
        self, wording: Wording, mentions: Mentions, tokens: Sequence[Token], clauses: Sequence[_Clause],
        steps: Sequence[Step], candidates: Sequence[Candidate], names: HostNames,
    ) -> str:  # fmt: skip
        """What to ask; empty when intents, params and the named hosts are clear."""
        if wording.negation:
            return f"The request says '{wording.negation}'. What should be changed? Say it without a negation."
        if wording.is_question:
            return "That is a question, and only changes are planned. What should be changed?"
        if mentions.question:
            return mentions.question
        if steps:
            return ""
        if doubt := next((clause.doubt for clause in clauses if clause.doubt), ""):
            return doubt
        if unknown := explain_unknown_host(tokens, names):
            return unknown
        if not candidates:
            return f"No intent fits the words. Known intents: {', '.join(sorted(self._intents)[:20])}. Which is meant?"
        first = candidates[0]
        ahead = len(candidates) == 1 or first.score - candidates[1].score >= 5
        if first.missing and ahead:
            options = self._intents[first.intent].options
            about = {name: join_description(options[name].get("description")).rstrip(".") for name in first.missing}
            asked = " ".join(f"What is {name}{f' ({text})' if text else ''}?" for name, text in about.items())
            return f"Is {first.intent} meant ({first.title})? {asked}"
        listed = "; ".join(f"{candidate.intent} ({candidate.title})" for candidate in candidates[:3])
        return f"Which is meant: {listed}? Name the intent and its params, or say it in fewer words."


def resolve_request(request: str, intents: Sequence[Intent], hosts: Sequence[str], groups: Sequence[str]) -> Resolution:
    """What the request means. For many requests keep a ``Resolver``: this compiles the phrases each time."""
    return Resolver(intents).resolve(request, hosts, groups)


def _plain(text: str) -> str:
    return text.rpartition(".")[2].replace("_", " ").replace("-", " ").lower()


def _similarity(words: Sequence[str], intent: Intent) -> float:
    """0..100: how near the words are to what the intent says about itself."""
    names = [_plain(intent.name), *map(str.lower, intent.synonyms), *map(str.lower, intent.tags)]
    # The verbs of a request say little about what it is about.
    topic = [word for word in words if word not in COMMANDS]
    spoken = [*topic, *(" ".join(pair) for pair in pairwise(topic))]
    best = max((score for name in names for _, score, _ in process.extract(name, spoken, limit=1)), default=0.0)
    prose = _content_words(f"{intent.title} {intent.description}".lower().split())
    overlap = fuzz.token_set_ratio(" ".join(words), " ".join(prose))
    return 0.7 * best + 0.3 * overlap if best >= 80 else 0.5 * overlap


def _content_words(words: Iterable[str]) -> list[str]:
    return [word for word in words if word and word not in ARTICLES | FUNCTION_WORDS | JOINERS | {"the", "or"}]


def _evident_params(intent: Intent, tokens: Sequence[Token]) -> dict[str, JsonValue]:
    """Required params whose form gives them away: the one version, the one path."""
    found: dict[str, JsonValue] = {}
    for name in intent.required():
        form = r"\d+(\.\d+)+" if name.endswith("_version") else r"/\S+" if name.endswith("_path") else None
        matches = [token.text for token in tokens if form and re.fullmatch(form, token.text)]
        if len(matches) == 1:
            found[name] = matches[0]
    return found
