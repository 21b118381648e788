"""The labelled requests, and what the resolver makes of one of them."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from intendant.catalog import Catalog
from intendant.resolving import Resolver

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "unit" / "data"
FILES = ("requests", "catalogue")
PARTS = ("tuned", "unseen")


@dataclass(frozen=True)
class Label:
    """A request with its meaning. Without ``steps`` it has to be asked back about; ``meant`` is then a candidate."""

    say: str
    hosts: str = ""
    steps: tuple[Any, ...] = ()
    meant: str = ""
    is_question: bool = False


@dataclass(frozen=True)
class Verdict:
    """``outcome`` is right, asked (without need) or wrong. ``has_meant``: it is among the first three candidates."""

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
def shipped_resolver() -> Resolver:
    return Resolver(Catalog([ROOT / "roles"]).list())


def judge(resolver: Resolver, label: Label, file: str) -> Verdict:
    inventory = _read(file)["inventory"]
    found = resolver.resolve(label.say, inventory["hosts"], inventory["groups"])
    got = [[step.intent, step.params] for step in found.steps]
    if not found.certain:
        outcome = "asked" if label.steps else "right"
    else:
        outcome = "right" if label.steps and (got, found.hosts) == (list(label.steps), label.hosts) else "wrong"
    first = [candidate.intent for candidate in found.candidates[:3]]
    shown = f"{got} on {found.hosts}" if found.certain else f"? {found.question[:110]} {first}"
    has_meant = found.certain or not label.meant or label.meant in first
    return Verdict(label, outcome, has_meant, found.certain, shown)


def measure(resolver: Resolver, file: str, part: str) -> Score:
    return Score([judge(resolver, label, file) for label in read_labels(file, part)])


@cache
def _read(file: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DATA / f"{file}.yml").read_text(encoding="utf-8"))
    return document
