"""The labelled requests, and what the resolver makes of one of them."""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from intendant.catalog import Catalog
from intendant.intents import COMMAND, Intent, Step
from intendant.words.resolving import Resolver
from words.meaning import is_unspeakable, read_meaning

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "unit" / "data"
FILES = ("requests", "catalogue", "strangers")
PARTS = ("tuned", "unseen")


@dataclass(frozen=True)
class Label:
    """A request with its meaning. Without ``steps`` it has to be asked back about; ``meant`` is then a candidate.

    Steps without ``hosts`` are a request that names none: the steps are read and the hosts asked for.
    """

    say: str
    hosts: str = ""
    steps: tuple[Any, ...] = ()
    meant: str = ""
    is_question: bool = False


@dataclass(frozen=True)
class Verdict:
    """``outcome`` is right, asked (without need) or wrong. ``has_meant``: it is among the first three candidates.

    ``became_plan``: there are steps, which a caller may plan for hosts that are named elsewhere.
    """

    label: Label
    outcome: str
    has_meant: bool
    became_plan: bool
    got: str


@dataclass
class Score:
    verdicts: list[Verdict] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        return sum(verdict.outcome == outcome for verdict in self.verdicts)

    def share(self, outcome: str) -> float:
        return self.count(outcome) / len(self.verdicts)

    def by_intent(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for verdict in self.verdicts:
            meant = verdict.label.meant or ("question" if verdict.label.is_question else "nothing certain")
            found.setdefault(meant, Counter())[verdict.outcome] += 1
        return dict(sorted(found.items()))


@cache
def read_labels(file: str, part: str) -> tuple[Label, ...]:
    document = _read(file)
    labels = []
    for entry in document[part]:
        steps = tuple(entry.get("steps", ()))
        meant = steps[0][0] if steps else entry.get("ask", "")
        labels.append(Label(entry["say"], entry.get("hosts", ""), steps, meant, entry.get("question", False)))
    return tuple(labels)


@cache
def shipped_intents() -> dict[str, Intent]:
    return {intent.name: intent for intent in Catalog([ROOT / "roles"]).list()}


@cache
def shipped_resolver() -> Resolver:
    return Resolver(list(shipped_intents().values()))


def judge(resolver: Resolver, label: Label, file: str) -> Verdict:
    inventory = _read(file)["inventory"]
    found = resolver.resolve(label.say, inventory["hosts"], inventory["groups"])
    intents = shipped_intents()
    steps = [Step(intent=intent, params=params) for intent, params in label.steps]
    # Passwords and commands are never read from words: asking back is right then, and anything else is wrong.
    wanted = [] if any(is_unspeakable(step, intents[step.intent]) for step in steps) else steps
    if not found.steps:
        outcome = "asked" if wanted else "right"
    else:
        is_same = read_meaning(found.steps, intents) == read_meaning(wanted, intents)
        is_there = _hosts(found.hosts, inventory["groups"]) == _hosts(label.hosts, inventory["groups"])
        outcome = "right" if wanted and is_same and is_there else "wrong"
        if wanted and is_same and not found.hosts:
            outcome = "right" if not label.hosts else "asked"  # for the hosts
    first = [candidate.intent for candidate in found.candidates[:3]]
    got = [[step.intent, step.params] for step in found.steps]
    shown = f"{got} on {found.hosts or 'no host'}" if found.steps else f"? {found.question[:110]} {first}"
    # The words for a command lead to no intent, but to where commands are given.
    is_told = label.meant == COMMAND and "run_command" in found.question
    has_meant = bool(found.steps) or not label.meant or label.meant in first or is_told
    return Verdict(label, outcome, has_meant, bool(found.steps), shown)


def _hosts(pattern: str, groups: Any) -> set[str]:
    """The hosts of a pattern: `all:!db1` and `web` are the same where db1 is the only other host."""
    if not isinstance(groups, dict):
        groups = {}
    parts = re.split("[,:]", pattern)
    kept = {host for part in parts if not part.startswith("!") for host in groups.get(part, [part])}
    return kept - {host for part in parts if part.startswith("!") for host in groups.get(part[1:], [part[1:]])}


def measure(resolver: Resolver, file: str, part: str) -> Score:
    return Score([judge(resolver, label, file) for label in read_labels(file, part)])


@cache
def _read(file: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DATA / f"{file}.yml").read_text(encoding="utf-8"))
    return document
