"""Starting the run of a plan and watching it, as every command does that applies one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from intendant.cli.output import say
from intendant.cli.progress import ProgressView

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.runs import Run

_WATCH_SECONDS = 30.0


def watch_plan(app: App, plan_id: str, wait: float | None = None) -> Run:
    """Apply a plan; its run at its end, or after ``wait`` seconds. An interrupt ends the watching, not the run.

    Raises:
        RefusedError: not approved, stale, used or busy; nothing was changed and the message says why.
    """
    try:
        with ProgressView(f"Applying {plan_id}") as progress:
            run = app.applier.apply_plan(plan_id, wait_seconds=wait or 0, on_progress=progress)
            while wait is None and not run.finished:
                run = app.applier.wait_run(run.id, wait_seconds=_WATCH_SECONDS, on_progress=progress)
            return run
    except KeyboardInterrupt:
        say(_interrupt_message(app.store.runs_of_plan(plan_id)))
        raise typer.Exit(130) from None


def _interrupt_message(runs: Sequence[Run]) -> str:
    if not runs:
        return "Interrupted before the run was reported. See whether it started: intendant runs"
    run = runs[0].id
    return f"Stopped watching. Run {run} goes on: intendant show {run}    stop it: intendant cancel {run}"
