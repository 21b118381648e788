"""docs/fidelity.md, made from what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from fidelity.measure import Measured

HEAD = """\
<!-- Made by `make fidelity`; a test compares it with the cases. -->
# Fidelity

What check mode predicted against what the run then did, task by task with equal diffs, on fresh Debian hosts. Each row
is one set of params (`tests/fidelity/cases/ROLE.yml`) on one suite: the changes that were predicted and done, whether
all were equal and a second plan was empty, and the same for undoing it, after which the host must be as it was before.

| role | params | suite | predicted | done | as planned, then empty | undone as planned | left behind |
|---|---|---|---|---|---|---|---|
"""


def render_table(measured: Sequence[Measured]) -> str:
    """The page; rows in order of role, set and suite."""
    shown = [one for one in measured if not one.set.startswith("(")]
    rows = "".join(_row(one) for one in shown)
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
        f"{HEAD}{rows}\n{exact} of {len(shown)} rows are exact.\n\n## Blind spots\n"
        f"What check mode cannot know, named in the plan, by role.\n\n{lines}\n## Not undone\n{without}"
    )


def _row(one: Measured) -> str:
    undone = "-" if one.undone is None else f"{one.undone} " + ("yes" if not one.problems else "see log")
    planned = "yes" if not one.problems else "**no**"
    cells = [one.role, one.set, one.suite, one.predicted, one.applied, planned, undone, one.leaves or "-"]
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"
