"""From a request in words to steps: certain where the words leave no choice, else candidates and a question. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from pydantic import BaseModel, ConfigDict, Field

from intendant.intents import COMMAND, Intent, Step, join_steps
from intendant.words.backgrounds import Told, without_background
from intendant.words.candidates import Candidate, Candidates
from intendant.words.clauses import Clause, ClauseReader
from intendant.words.contexts import drop_context, gives_secret
from intendant.words.hostnames import HostNames
from intendant.words.mentions import part_hosts, read_mentions
from intendant.words.phrases import Phrases
from intendant.words.questions import Questions
from intendant.words.rephrasing import to_active
from intendant.words.sayings import say_plainly
from intendant.words.spelling import Speller, part_joined
from intendant.words.splitting import Splitter
from intendant.words.spoken import correct_self, name_hosts, write_out
from intendant.words.tokens import Token
from intendant.words.vocabulary import COMMANDS, SEPARATOR
from intendant.words.wording import Wording, count_negations, join_times, quote_make, read_wording, strip_politeness

MAX_REQUEST = 4000
MAX_WORDS = 80
#: in how many other ways a request that is not clear is read
MAX_WAYS = 6


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
        names = [(_plain(name), intent.name) for intent in intents for name in self._names_of(intent)]
        self._reader = ClauseReader(self._intents, self._phrases, names)
        self._candidates = Candidates(self._intents, self._phrases, self._reader)
        self._questions = Questions(self._intents)
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
        candidates = self._candidates.rank(tokens if steps else self._prepare(strip_politeness(mentions.rest)), clauses)
        question = self._questions.ask(
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
        for token in quote_make(join_times(tokens)):
            match = self._versioned.fullmatch(token.word)
            prepared += [Token(match[1]), Token(match[2])] if match else [token]
        if prepared and prepared[0].is_time:
            # "Every night at 2, run …"
            prepared = [*strip_politeness(prepared[1:]), prepared[0]]
        # a colon after the order, as in "Install: git"
        is_order = len(prepared) > 2 and prepared[1].word == SEPARATOR and prepared[0].word in self._phrases.verbs
        return [prepared[0], *prepared[2:]] if is_order else prepared


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


def _plain(text: str) -> str:
    return text.rpartition(".")[2].replace("_", " ").replace("-", " ").lower()
