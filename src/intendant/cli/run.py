"""`apply`, `runs`, `cancel`: start, watch and stop runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from intendant.cli.desired import apply_files
from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.portable import is_done, take_in
from intendant.cli.requests import FileOption
from intendant.cli.session import session_of
from intendant.cli.watching import watch_plan
from intendant.errors import InputError
from intendant.views.listing import history_lines
from intendant.views.text import run_lines

if TYPE_CHECKING:
    from intendant.runs import Run
    from intendant.store import HistoryEntry

_PAGE = 100


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("apply")(apply_plan)
    app.command("runs")(list_runs)
    app.command("cancel")(cancel_run)


def apply_plan(
    context: typer.Context,
    item: Annotated[
        str,
        typer.Argument(metavar="PLAN|FILE", help="The plan's id, or the file of a portable plan.", show_default=False),
    ] = "",
    file: FileOption = None,
    by_policy: Annotated[
        bool, typer.Option("--auto-approve-policy", help="With -f: apply what the policy approves by itself.")
    ] = False,
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

    With -f and --auto-approve-policy, plan files are planned and applied one after the other, as far as the policy asks
    nobody: 'intendant apply -f intendant.d --auto-approve-policy' exits 3 at the first plan that needs a person.
    """
    if bool(item) == bool(file) or bool(file) != by_policy:
        raise InputError("apply: give a plan, or -f FILE together with --auto-approve-policy.")
    if file and (wait is not None or no_wait):
        raise InputError("--wait, --no-wait: go with one plan.")
    app = session_of(context).open()
    if file:
        apply_files(app, file, as_json=as_json)
        return
    plan_id = take_in(app, item)
    if is_done(app, plan_id):
        say(f"Plan {plan_id} has nothing to change, so nothing was done.")
        return
    run = watch_plan(app, plan_id, wait=0 if no_wait else wait)
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


def _show_run(run: Run, *, as_json: bool) -> None:
    if as_json:
        from intendant.cli.results import whole_run

        show_json(whole_run(run))
    else:
        show_lines(run_lines(run))
