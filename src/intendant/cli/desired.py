"""`apply -f`: hosts are brought to what plan files say, as far as the policy asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from intendant.approvals import review_command
from intendant.cli.output import say, show_json, show_lines
from intendant.cli.plan import plan_request
from intendant.cli.requests import read_plan_files
from intendant.cli.watching import watch_plan
from intendant.views.text import plan_lines, run_lines

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan
    from intendant.runs import Run

_NEEDS_PERSON = 3


def apply_files(app: App, paths: Sequence[Path], *, as_json: bool) -> None:
    """Plan each document and apply it before the next one is planned.

    Ends with 3 at the first plan that needs a person, with 1 at the first run that did not succeed, and with 1 at the
    end when hosts could not be planned: these are left out. With ``as_json`` the results of the runs are a list.
    """
    requests = read_plan_files(paths, "")
    runs: list[Run] = []
    code = 0
    for number, asked in enumerate(requests, start=1):
        plan = plan_request(app, asked)
        if not as_json:
            show_lines(plan_lines(plan))
        if plan.errored:
            say(f"{asked.source}: some hosts could not be planned; they are left as they are.")
            code = 1
        if not plan.applyable:
            continue
        if plan.approval_channels:
            say(_ask_for_person(plan, asked.source, len(requests) - number))
            code = _NEEDS_PERSON
            break
        run = watch_plan(app, plan.id)
        runs.append(run)
        if not as_json:
            show_lines(run_lines(run))
        if run.status != "succeeded":
            say(f"{asked.source}: its run ended as {run.status}. {_count_left(len(requests) - number)}")
            code = 1
            break
    if as_json:
        from intendant.cli.results import whole_run

        show_json([whole_run(run) for run in runs])
    if code:
        raise typer.Exit(code)


def _ask_for_person(plan: Plan, source: str, left: int) -> str:
    return (
        f"{source}: needs a person: {plan.approval_reason}. Nothing of it was applied. {_count_left(left)}"
        f"Read and approve it: {review_command(plan.id, plan.approval_channels)}"
    )


def _count_left(left: int) -> str:
    return f"Not looked at: {left} more. " if left else ""
