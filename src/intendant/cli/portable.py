"""Plans that are named by their id or by the file that `plan --out` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from intendant.cli.output import say

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan

SUFFIX = ".intendant"


def as_file(item: str) -> Path | None:
    """The file that is meant, or None where it is an id."""
    path = Path(item)
    return path if path.suffix == SUFFIX or path.is_file() else None


def take_in(app: App, item: str) -> str:
    """The id of the plan; one that is given as a file is taken into the project's store first.

    Raises:
        InputError: the file was altered, or is no plan's.
        RefusedError: it does not fit this project: stale, or against the policy.
    """
    path = as_file(item)
    if path is None:
        return item
    from intendant.portable import read_portable

    plan: Plan = app.importer.import_plan(read_portable(path))
    say(f"{path} is plan {plan.id}.")
    return plan.id


def is_done(app: App, plan_id: str) -> bool:
    """The hosts are as the plan wants them: there is nothing to apply, and nothing wrong with that."""
    plan = app.store.find_plan(plan_id)
    return plan is not None and plan.complete and not plan.applyable


def name_output(out: str, number: int, count: int, plan_id: str) -> Path:
    """Where the file of a plan goes: ``out``, or a numbered file inside of it when it is a folder."""
    folder = out.endswith("/") or Path(out).is_dir()
    return Path(out) / f"{number:0{len(str(count))}}-{plan_id}{SUFFIX}" if folder else Path(out)
