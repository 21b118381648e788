"""From a request in words to steps: certain where the words leave no choice, else candidates and a question. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from intendant.backgrounds import Told, without_background
from intendant.clauses import Clause, ClauseReader
from intendant.contexts import drop_context, gives_command, gives_secret
from intendant.hostnames import HostNames
from intendant.intents import COMMAND, Intent, Step, join_steps
from intendant.mentions import Mentions, explain_unknown_host, part_hosts, read_mentions
from intendant.phrases import Phrases
from intendant.ranking import Ranking, evident_params
from intendant.rephrasing import to_active
from intendant.sayings import say_plainly
from intendant.schemas import join_description
from intendant.slots import missing_params
from intendant.spelling import Speller, part_joined
from intendant.splitting import Splitter
from intendant.spoken import correct_self, name_hosts, write_out
from intendant.tokens import Token
from intendant.vocabulary import COMMANDS, JOINERS, SEPARATOR
from intendant.wording import Wording, correct_verb, count_negations, join_times, read_wording, strip_politeness

MAX_REQUEST = 4000
MAX_WORDS = 80
#: in how many other ways a request that is not clear is read
MAX_WAYS = 6
MAX_CANDIDATES = 5
MIN_SCORE = 30.0
_MAYBE_PACKAGE = 35.0
_ARRIVALS = frozenset({"install", "set", "setup", "add", "get", "deploy"})


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


class Resolver:
    """Resolves requests against a fixed set of intents, whose phrases it compiles once."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        intents = [intent for intent in intents if intent.name != COMMAND]
        self._intents = {intent.name: intent for intent in intents}
        self._phrases = Phrases(intents)
        self._ranking = Ranking(intents)
        names = [(_plain(name), intent.name) for intent in intents for name in self._names_of(intent)]
        self._reader = ClauseReader(self._intents, self._phrases, names)
        self._said_names = frozenset(name for name, _ in names)
        self._speller = Speller(self._phrases.known, self._said_names)
        roles = {re.escape(intent.name.rpartition(".")[2].lower()) for intent in intents}
        self._versioned = re.compile(rf"({'|'.join(sorted(roles)) or '(?!)'})-?(\d+(?:\.\d+)+)")

    def resolve(
        self, request: str, hosts: Sequence[str], groups: Sequence[str] | Mapping[str, Sequence[str]]
    ) -> Resolution:
        """What the request means for an inventory with these hosts and groups. Never guesses; see ``Resolution``.

        ``groups`` may be mapped to their hosts, which tells whether "the database server" is one.
        """
        wording = read_wording(request[:MAX_REQUEST])
        if not wording.tokens or len(wording.tokens) > MAX_WORDS or len(request) > MAX_REQUEST:
            problem = "too long to be read safely" if wording.tokens else "empty"
            return Resolution(certain=False, question=f"The request is {problem}. Say what to change on which hosts, "
                              'such as "install git on web1".')  # fmt: skip
        names = HostNames(hosts, groups)
        found = self._resolve(wording, names)
        is_final = found.steps or wording.is_question or gives_secret(wording.tokens)
        return found if is_final else self._read_again(wording, names, found)

    def _read_again(self, wording: Wording, names: HostNames, found: Resolution) -> Resolution:
        """What the request means when it is put another way; ``found`` is what it means as it stands."""
        pattern = ""
        for told in islice(self._restate(wording.tokens, names), MAX_WAYS):
            again = self._resolve(replace(wording, tokens=told.tokens), names, is_again=True)
            # No way to put it may lose the hosts, or what was left out and bears on the steps.
            is_elsewhere = again.hosts != (pattern or again.hosts or found.hosts)
            pattern = pattern or again.hosts
            is_less = any(self._phrases.knows(step.intent, told.words) for step in again.steps)
            if again.steps and not is_elsewhere and not is_less:
                return again
        return found

    def _restate(self, tokens: Sequence[Token], names: HostNames) -> Iterator[Told]:
        """Other ways to write the request, which mean the same, for one that is not clear as it stands."""
        mended = self._speller.mend(part_joined(correct_self(tokens), names), names)
        written = write_out(name_hosts(mended, names), names, self._said_names, self._speller.known)
        if written != list(tokens):
            yield Told(tuple(written))
        plain = say_plainly(written, names)
        if plain != written:
            yield Told(tuple(strip_politeness(plain)))
        yield from without_background(plain, names, self._phrases.starts_step)

    def _resolve(self, wording: Wording, names: HostNames, *, is_again: bool = False) -> Resolution:
        """What the words mean as they stand; ``is_again`` wants no candidates where nothing is clear."""
        hosts = names.hosts
        active = to_active(part_hosts(wording.tokens, names), self._phrases.orders)
        mentions = read_mentions(active, names, self._phrases.starts_step)
        tokens = self._prepare(strip_politeness(drop_context(mentions.rest, self._phrases.starts_step)))
        may_imply = bool(mentions.pattern or mentions.is_open or wording.is_polite)
        clauses = (
            [Clause()] if wording.is_question else Splitter(self._reader, tokens, names, may_imply=may_imply).split()
        )
        # A negation that is a part of what is asked for, as in "without a home directory", takes nothing back.
        takes_back = sum(clause.negations for clause in clauses if clause.steps) != count_negations(tokens)
        clauses = [Clause()] if takes_back else clauses
        is_clear = all(clause.steps for clause in clauses) and not gives_secret(tokens)
        read = [step for clause in clauses for step in clause.steps] if is_clear else []
        steps = join_steps(read)
        if is_again and not steps:
            return Resolution(certain=False, hosts=mentions.pattern)
        # Where nothing was read, the reason in front may tell what is meant.
        candidates = self._rank(tokens if steps else self._prepare(strip_politeness(mentions.rest)), clauses)
        question = self._question(
            wording if takes_back or wording.is_question else replace(wording, negation=""),
            mentions,
            tokens,
            clauses,
            steps,
            candidates,
            names,
        )
        if question and not (mentions.is_open and steps):
            return Resolution(certain=False, candidates=candidates, question=question, hosts=mentions.pattern)
        pattern = mentions.pattern or (hosts[0] if len(hosts) == 1 else "")
        if not pattern and not question:
            listed = f" Known: {', '.join([*names.groups, *hosts][:10])}." if hosts else " The inventory has no hosts."
            question = f"On which hosts?{listed}"
        return Resolution(certain=bool(pattern), steps=steps, hosts=pattern, candidates=candidates, question=question)

    def _names_of(self, intent: Intent) -> list[str]:
        """What the intent is called; a synonym that no phrase has may be the name of something else as well."""
        words = self._phrases.words[intent.name]
        return [
            intent.name,
            *(name for name in intent.synonyms if (name in words and name not in COMMANDS) or not intent.phrases),
        ]

    def _prepare(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens with times joined, and "python3.12" taken apart where python is an intent."""
        prepared: list[Token] = []
        for token in _quote_make(join_times(tokens)):
            match = self._versioned.fullmatch(token.word)
            prepared += [Token(match[1]), Token(match[2])] if match else [token]
        if prepared and prepared[0].is_time:
            # "Every night at 2, run …"
            prepared = [*strip_politeness(prepared[1:]), prepared[0]]
        # a colon after the order, as in "Install: git"
        is_order = len(prepared) > 2 and prepared[1].word == SEPARATOR and prepared[0].word in self._phrases.verbs
        return [prepared[0], *prepared[2:]] if is_order else prepared

    def _rank(self, tokens: Sequence[Token], clauses: Sequence[Clause]) -> list[Candidate]:
        """The intents that may be meant, best first: those that were read, then those whose words are near."""
        ranked: dict[str, Candidate] = {}
        near = self._ranking.score("schedule" if token.is_time else token.word for token in tokens)
        for clause in clauses:
            if clause.rival:
                params = evident_params(self._intents[clause.rival], tokens)
                ranked[clause.rival] = self._candidate(clause.rival, 99.0, params)
            for reading in sorted(
                clause.readings, key=lambda reading: (len(self._reader.missing(reading)), -reading.literal)
            ):
                share = reading.literal / reading.words
                is_meant = any(step.intent == reading.intent for step in clause.steps)
                score = 100.0 if is_meant else 80.0 + 9.0 * min(share, 1) + near[reading.intent] / 10
                if reading.intent not in ranked:
                    ranked[reading.intent] = self._candidate(reading.intent, score, reading.params[0])
        verb = correct_verb(next((token.word for token in tokens if token.word), ""), self._phrases.verbs)
        for name, intent in self._intents.items():
            # An intent that answers to the verb may be meant, whatever else is said.
            score = 0.85 * near[name] + (15.0 if self._phrases.is_order_for(name, verb) else 0.0)
            # What no role is named after may still be a package.
            score += _MAYBE_PACKAGE if name == "packages" and verb in _ARRIVALS else 0.0
            if name not in ranked and score >= MIN_SCORE / 2:
                ranked[name] = self._candidate(name, min(score, 79.0), evident_params(intent, tokens))
        ordered = sorted(ranked.values(), key=lambda candidate: (-candidate.score, candidate.intent))
        return ordered[:MAX_CANDIDATES]

    def _candidate(self, name: str, score: float, params: Mapping[str, JsonValue]) -> Candidate:
        intent = self._intents[name]
        missing = missing_params(intent, params)
        said = {param: value for param, value in params.items() if param not in missing}
        return Candidate(intent=name, title=intent.title, score=round(score, 1), params=said, missing=missing)

    def _question(
        self, wording: Wording, mentions: Mentions, tokens: Sequence[Token], clauses: Sequence[Clause],
        steps: Sequence[Step], candidates: Sequence[Candidate], names: HostNames,
    ) -> str:  # fmt: skip
        """What to ask; empty when intents, params and the named hosts are clear."""
        if wording.negation:
            return f"The request says '{wording.negation}'. What should be changed? Say it without a negation."
        if gives_secret(tokens):
            return ("Passwords are not read from a request, which is stored as it is. Name the intent and its params, "
                    'with the password as {"from_var": NAME OF A VAULT VARIABLE}.')  # fmt: skip
        if gives_command(tokens) and not steps:
            return "A command is run only as it is written: use run_command, or 'intendant exec HOSTS -- COMMAND'."
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
        first = candidates[0] if candidates else None
        least = MIN_SCORE + (_MAYBE_PACKAGE if first and first.intent == "packages" else 0.0)
        if first is None or (first.score < least and not any(clause.readings for clause in clauses)):
            return self._explain_unknown(candidates)
        ahead = len(candidates) == 1 or first.score - candidates[1].score >= 5
        if first.missing and ahead:
            options = self._intents[first.intent].options
            about = {name: join_description(options[name].get("description")).rstrip(".") for name in first.missing}
            asked = " ".join(f"What is {name}{f' ({text})' if text else ''}?" for name, text in about.items())
            return f"Is {first.intent} meant ({first.title})? {asked}"
        listed = "; ".join(f"{candidate.intent} ({candidate.title})" for candidate in candidates[:3])
        return f"Which is meant: {listed}? Name the intent and its params, or say it in fewer words."

    def _explain_unknown(self, candidates: Sequence[Candidate]) -> str:
        near = ", ".join(candidate.intent for candidate in candidates[:3]) or ", ".join(sorted(self._intents)[:20])
        packages = ' If it is software of the distribution, ask for its package: "install the package NAME".'
        return (
            f"No intent fits the words: the catalogue has nothing for that. Known or near: {near}."
            f"{packages if 'packages' in self._intents else ''} For anything else there are Ansible's ad-hoc commands."
        )


class CachedResolver:
    """Resolves requests, and compiles the phrases anew only when the intents have changed."""

    def __init__(self) -> None:
        self._compiled: tuple[tuple[Intent, ...], Resolver] | None = None

    def resolve(
        self,
        request: str,
        intents: Sequence[Intent],
        hosts: Sequence[str],
        groups: Sequence[str] | Mapping[str, Sequence[str]],
    ) -> Resolution:
        """What the request means; see ``Resolver.resolve``."""
        known = self._compiled
        # The catalog hands out the same objects as long as no file has changed.
        if (
            known is None
            or len(known[0]) != len(intents)
            or any(a is not b for a, b in zip(known[0], intents, strict=True))
        ):
            known = self._compiled = (tuple(intents), Resolver(intents))
        return known[1].resolve(request, hosts, groups)


def resolve_request(request: str, intents: Sequence[Intent], hosts: Sequence[str], groups: Sequence[str]) -> Resolution:
    """What the request means. For many requests keep a ``Resolver``: this compiles the phrases each time."""
    return Resolver(intents).resolve(request, hosts, groups)


def _quote_make(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with the program make as a name: "git and make, also node"."""
    words = [SEPARATOR, *(token.word for token in tokens), SEPARATOR]
    return [
        Token("make", quoted=True)
        if token.word == "make"
        and words[place] in JOINERS
        and words[place + 2] in JOINERS | {"on", "is", "are", "to", "in", "from"}
        and place
        else token
        for place, token in enumerate(tokens)
    ]


def _plain(text: str) -> str:
    return text.rpartition(".")[2].replace("_", " ").replace("-", " ").lower()
