"""docs/fidelity.md, made from what was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from difflib import unified_diff
from pathlib import Path

from fidelity.cases import RoleCases, read_cases
from fidelity.measure import Measured

HEAD = """\
<!-- Made by `make fidelity-docs`; a test compares it with the cases. -->
# Fidelity

What check mode predicted against what the run then did, task by task with equal diffs, on fresh Debian hosts. Each row
is one set of params (`tests/fidelity/cases/ROLE.yml`) on one suite: the changes that were predicted and done, whether
all were equal and a second plan was empty, and the same for undoing it, after which the host must be as it was before.

| role | params | suite | predicted | done | as planned, then empty | undone as planned | left behind |
|---|---|---|---|---|---|---|---|
"""


def render_table(measured: Sequence[Measured], cases: Mapping[str, RoleCases]) -> str:
    """The page; a row for each role, set and suite, also for those that were not measured."""
    known = {(one.role, one.set, one.suite): one for one in measured}
    keys = [(role, one.name, suite) for role, told in cases.items() for one in told.sets for suite in one.suites]
    shown = [known[key] for key in keys if key in known]
    rows = "".join(
        _row(known[key]) if key in known else f"| {' | '.join(key)} | not measured | | | | |\n" for key in keys
    )
    exact = sum(not one.problems for one in shown)
    spots: dict[str, list[str]] = {}
    for one in shown:
        for spot in one.blind_spots:
            names = spots.setdefault(spot, [])
            if one.role not in names:
                names.append(one.role)
    lines = "".join(f"- {', '.join(names)}: {spot}\n" for spot, names in sorted(spots.items())) or "None.\n"
    undos = dict.fromkeys((one.role, one.set, one.no_undo) for one in shown if one.no_undo)
    without = "".join(f"- {role}, {name}: {reason}\n" for role, name, reason in undos) or "None.\n"
    return (
        f"{HEAD}{rows}\n{len(keys)} rows, {len(shown)} measured, {exact} exact.\n\n## Blind spots\n"
        f"What check mode cannot know, named in the plan, by role.\n\n{lines}\n## Not undone\n{without}"
    )


def _row(one: Measured) -> str:
    undone = "-" if one.undone is None else f"{one.undone} " + ("yes" if not one.problems else "see log")
    planned = "yes" if not one.problems else "**no**"
    cells = [one.role, one.set, one.suite, one.predicted, one.applied, planned, undone, one.leaves or "-"]
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


# What another day or mirror changes: versions, times, digests, sizes.
_VOLATILE = re.compile(r"[0-9a-f]{12,}|\d[\w.+:~-]*")


def plan_pages(measured: Sequence[Measured]) -> dict[str, str]:
    """The plan of each role's first set on Debian 13, or 12 where that is all there is, by file name."""
    pages: dict[str, str] = {}
    for one in sorted(measured, key=lambda one: one.suite != "trixie"):
        if one.plan:
            pages.setdefault(f"{one.role}.txt", one.plan)
    return pages


def read_measured(docs: Path) -> list[Measured]:
    """What was measured when the docs were written: docs/fidelity.json."""
    path = docs / "fidelity.json"
    return [Measured(**row) for row in json.loads(path.read_text("utf-8"))] if path.exists() else []


def write_measured(docs: Path, measured: Sequence[Measured]) -> None:
    """Put what was measured in the place of what the docs said about the same sets, and write the pages anew."""
    cases = read_cases()
    rows = {(one.role, one.set, one.suite): one for one in [*read_measured(docs), *measured]}
    known = {(role, one.name, suite) for role, told in cases.items() for one in told.sets for suite in one.suites}
    kept = [rows[key] for key in sorted(rows) if key in known]
    stored = [{**asdict(one), "plan": "", "seconds": 0} for one in kept]
    (docs / "fidelity.json").write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (docs / "fidelity.md").write_text(render_table(kept, cases), encoding="utf-8")
    (docs / "plans").mkdir(exist_ok=True)
    for name, text in plan_pages(measured).items():
        (docs / "plans" / name).write_text(text, encoding="utf-8")


def find_stale(docs: Path, measured: Sequence[Measured]) -> list[str]:
    """What docs/ says otherwise than what was measured now; versions and the like do not count."""
    said = {(one.role, one.set, one.suite): one for one in read_measured(docs)}
    stale = [
        f"{one.role}, {one.set}, {one.suite}: {name} is {getattr(one, name)!r}"
        for one in measured
        if not one.set.startswith("(")
        for name in [field.name for field in fields(one) if field.name not in ("plan", "seconds")]
        if getattr(said.get((one.role, one.set, one.suite)), name, None) != getattr(one, name)
    ]
    for name, text in plan_pages(measured).items():
        page = docs / "plans" / name
        before, after = (_VOLATILE.sub("…", told).splitlines() for told in (page.read_text("utf-8"), text))
        stale += [f"docs/plans/{name}: {line}" for line in unified_diff(before, after, "docs", "now", lineterm="", n=0)]
    return stale
