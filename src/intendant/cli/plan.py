"""`plan`: predict what a request changes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.portable import name_output
from intendant.cli.progress import ProgressView
from intendant.cli.requests import FileOption, PlanRequest, read_intent, read_plan_files, resolve_words
from intendant.cli.session import session_of
from intendant.cli.show import Format, MarkdownFlag, choose_format, current_status, show_plan
from intendant.errors import InputError
from intendant.views.listing import resolution_lines

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("plan")(make_plan)


def make_plan(
    context: typer.Context,
    request: Annotated[
        list[str] | None, typer.Argument(metavar="REQUEST", help="What is wanted, in words.", show_default=False)
    ] = None,
    intent: Annotated[str, typer.Option(metavar="NAME", help="Plan this intent.")] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--param",
            metavar="KEY=VALUE",
            help="A param of --intent. A str is taken as written; repeat it for a list; dicts are JSON. "
            "KEY:var=NAME takes the value of an inventory or vault variable; KEY=- asks for a secret, or reads it "
            "as a line from stdin.",
        ),
    ] = None,
    file: FileOption = None,
    hosts: Annotated[str, typer.Option(metavar="PATTERN", help="Hosts and groups, in Ansible's pattern syntax.")] = "",
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Also write the plan to a file, to be shown, reviewed and applied on another machine with the same "
            "inventory; it names secrets by variable only. DIR/ is a folder, with a numbered file for each plan.",
        ),
    ] = "",
    expires: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="SECONDS", help="How long it can be applied, up to plan_ttl_max_seconds.", show_default=False
        ),
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 0: nothing to change, 2: changes, 1: error.")
    ] = False,
    as_json: JsonFlag = False,
    as_markdown: MarkdownFlag = False,
) -> None:
    """Predict what a request changes, without changing anything.

    Say it in words, or name an intent with its params, or plan files:

    intendant plan install python 3.12 on web1

    intendant plan --intent python -p python_version=3.12 --hosts web1

    intendant plan -f intendant.d

    Exits 1 as well when a host could not be planned. Several documents are several plans, in order, and none of them
    knows what the others will change; with --json they are a list.
    """
    if [bool(request), bool(intent), bool(file)].count(True) != 1:
        raise InputError("plan: give one of: a request in words, --intent NAME, or -f FILE.")
    if param and not intent:
        raise InputError("-p: goes with --intent NAME.")
    form = choose_format(None, as_json=as_json, as_markdown=as_markdown)
    app = session_of(context).open()
    if file:
        asked = read_plan_files(file, hosts)
    elif intent:
        asked = [read_intent(app, intent, param or [], hosts)]
    else:
        asked = [_ask_in_words(app, " ".join(request or []), hosts, as_json)]
    _check_output(out, len(asked))
    plans = [_plan_and_show(app, one, number, len(asked), out, expires, form) for number, one in enumerate(asked, 1)]
    if form is Format.JSON:
        _show_results(app, plans)
    if any(plan.errored for plan in plans):
        raise typer.Exit(1)
    if detailed_exitcode and any(plan.applyable for plan in plans):
        raise typer.Exit(2)


def plan_request(app: App, asked: PlanRequest, *, portable: bool = False, expires: int | None = None) -> Plan:
    """Plans in a thread, so that an interrupt reaches us and the check-mode run is ended in order."""
    cancelled = threading.Event()
    with ProgressView(f"Planning on {asked.hosts}") as progress, ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            app.planner.plan_changes,
            asked.hosts,
            asked.steps,
            request=asked.words,
            client="cli",
            expires_seconds=expires,
            portable=portable,
            on_progress=progress,
            should_cancel=cancelled.is_set,
        )
        try:
            return future.result()
        except KeyboardInterrupt:
            cancelled.set()
            say("Stopping. Nothing is changed by planning.")
            raise
        except InputError as error:
            if not asked.source:
                raise
            raise InputError(f"-f {asked.source}: {error}") from error


def _ask_in_words(app: App, words: str, hosts: str, as_json: bool) -> PlanRequest:
    """The one thing that the words can mean; otherwise shows what they may mean and ends with 1."""
    found = resolve_words(app, words)
    if hosts and found.hosts and hosts != found.hosts:
        raise InputError(f"--hosts: is '{hosts}' but the words say '{found.hosts}'. Name the hosts in one place.")
    # Steps without certainty lack nothing but the hosts.
    if found.steps and (pattern := hosts or found.hosts):
        return PlanRequest(hosts=pattern, steps=tuple(found.steps), words=words)
    if as_json:
        show_json(found)
    else:
        show_lines(resolution_lines(found))
    say("Nothing was planned: say it more exactly, or use --intent NAME -p … --hosts PATTERN.")
    raise typer.Exit(1)


def _plan_and_show(
    app: App, asked: PlanRequest, number: int, count: int, out: str, expires: int | None, form: Format
) -> Plan:
    plan = plan_request(app, asked, portable=bool(out), expires=expires)
    if out:
        from intendant.planning import snapshot_dir
        from intendant.portable import write_portable

        path = name_output(out, number, count, plan.id)
        write_portable(plan, snapshot_dir(app.config, plan.id), path)
        say(f"Plan {plan.id} is written to {path}.")
    if form is not Format.JSON:
        show_plan(plan, current_status(app, plan), app.approver.current(plan.id), form)
    return plan


def _show_results(app: App, plans: list[Plan]) -> None:
    from intendant.cli.results import whole_plan

    found = [whole_plan(plan, current_status(app, plan), approval=None) for plan in plans]
    show_json(found[0] if len(found) == 1 else found)


def _check_output(out: str, count: int) -> None:
    if not out:
        return
    folder = out.endswith("/") or Path(out).is_dir()
    if count > 1 and not folder:
        raise InputError(f"--out {out}: there are {count} plans. Name a folder for their files: --out {out}/")
    try:
        (Path(out) if folder else Path(out).parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}.") from error
