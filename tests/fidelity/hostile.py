"""Params are data: strings that do harm when evaluated, wherever a role's first set has a text.

In check mode only: a real run would leave a host that no later step can use. Each string must be refused by an error of
the role's own or be predicted literally; nothing may be computed, and the canary folders, here and on the host, stay
empty.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fidelity.cases import RoleCases
from fidelity.measure import Measured
from lab.labs import Lab
from roles.running import ROOT, Result, run_roles
from support.hostile import COMPUTED, make_hostile

TRIED = ("pipe", "computed", "substitution", "line-break", "short-option")
#: signs that Ansible, Jinja or Python, and none of our own code, found fault with a value
CRASHES = ("Traceback", "is undefined", "deserialization failed", "Syntax error in", "templating", "No module named")
Place = tuple[str | int, ...]


def measure_hostile(cases: RoleCases) -> list[Measured]:
    """Try every string in every place, in one play."""
    began, one = time.monotonic(), Measured(cases.role, "(hostile)", "trixie")
    with Lab() as lab, TemporaryDirectory() as folder:
        host, canary = lab.boot("trixie", "trixie"), Path(folder) / "canary"
        canary.mkdir()
        host.run(f"mkdir -p {canary} && chmod 1777 {canary}")
        host.run(cases.sets[0].prepare or "true", timeout=300)
        steps = list(make_steps(cases, canary))
        results = run_roles(steps, Path(folder) / "run", host, check=True, go_on=True)
        one.problems += [f"{result.task}: {told}" for result in results for told in _find_faults(result)]
        left = [path.name for path in canary.iterdir()] + host.run(f"ls -A {canary}").stdout.split()
        one.problems += [f"was run: {name}" for name in left]
        one.predicted = len(steps)
    one.seconds = round(time.monotonic() - began, 1)
    return [one]


def make_steps(cases: RoleCases, canary: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The first set's params with one text replaced, for each text and string; and each text param that it lacks."""
    base = next(params for intent, params in cases.sets[0].steps if intent == cases.role)
    specification = yaml.safe_load((ROOT / "roles" / cases.role / "meta/argument_specs.yml").read_text("utf-8"))
    options = specification["argument_specs"]["main"].get("options", {})
    places = [*find_texts(base)]
    places += [(name,) for name, option in options.items() if is_text(option) and name not in base]
    strings = [item.text for item in make_hostile(canary) if item.name in TRIED]
    assert len(strings) == len(TRIED)
    for place in places:
        for text in strings:
            params = copy.deepcopy(base)
            target: Any = params
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = text
            yield cases.role, params


def find_texts(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where strings stand in params."""
    if isinstance(value, str):
        yield place
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from find_texts(item, (*place, key))


def is_text(option: dict[str, Any]) -> bool:
    """Whether any string fits the specification."""
    return option.get("type", "str") in ("str", "path", "raw") and "choices" not in option


def _find_faults(result: Result) -> Iterator[str]:
    said = f"{result.message} {result.diff}"
    if COMPUTED in said:
        yield f"something was computed: {said[:300]}"
    if result.status == "failed":
        yield from (f"{sign!r}: {result.message[:300]}" for sign in CRASHES if sign in result.message)
