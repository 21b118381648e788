"""`apply`, `runs`, `cancel`: start, watch and stop runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.progress import ProgressView
from intendant.cli.session import session_of
from intendant.views.listing import history_lines
from intendant.views.text import run_lines

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.runner.base import Progress
    from intendant.runs import Run
    from intendant.store import HistoryEntry

_WATCH_SECONDS = 30.0
_PAGE = 100


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("apply")(apply_plan)
    app.command("runs")(list_runs)
    app.command("cancel")(cancel_run)


def apply_plan(
    context: typer.Context,
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.")],
    wait: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Wait no longer than this, for busy hosts too; the run goes on.",
            show_default=False,
        ),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Start the run and exit 0 without watching it.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Apply an approved plan and watch it to its end. Exits 0 only when the run succeeded.

    The run is a process of its own: it goes on when this command is interrupted.
    """
    app = session_of(context).open()
    try:
        with ProgressView(f"Applying {plan_id}") as progress:
            run = app.applier.apply_plan(plan_id, wait_seconds=0 if no_wait else wait or 0, on_progress=progress)
            if wait is None and not no_wait:
                run = _watch(app, run, progress)
    except KeyboardInterrupt:
        say(_interrupt_message(app.store.runs_of_plan(plan_id)))
        raise typer.Exit(130) from None
    _show_run(run, as_json=as_json)
    started = no_wait and not run.finished
    if run.status != "succeeded" and not started:
        raise typer.Exit(1)


def list_runs(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="NAME", help="Only runs on this host.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Number of runs.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Runs, newest first."""
    store = session_of(context).open().store
    found: list[HistoryEntry] = []
    cursor = ""
    while True:
        entries, cursor = store.list_history(host=host, limit=_PAGE, cursor=cursor)
        found += [entry for entry in entries if entry.kind == "run"]
        if not cursor or len(found) >= limit:
            break
    if not as_json:
        return show_lines(history_lines(found[:limit]))
    from intendant.views.json import build_history

    return show_json(build_history(found[:limit], cursor))


def cancel_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    as_json: JsonFlag = False,
) -> None:
    """Ask a run to stop after the task in flight."""
    _show_run(session_of(context).open().applier.cancel_run(run_id), as_json=as_json)


def _watch(app: App, run: Run, progress: Callable[[Progress], None]) -> Run:
    while not run.finished:
        run = app.applier.wait_run(run.id, wait_seconds=_WATCH_SECONDS, on_progress=progress)
    return run


def _interrupt_message(runs: Sequence[Run]) -> str:
    if not runs:
        return "Interrupted before the run was reported. See whether it started: intendant runs"
    run = runs[0].id
    return f"Stopped watching. Run {run} goes on: intendant show {run}    stop it: intendant cancel {run}"


def _show_run(run: Run, *, as_json: bool) -> None:
    if as_json:
        from intendant.cli.results import whole_run

        show_json(whole_run(run))
    else:
        show_lines(run_lines(run))
