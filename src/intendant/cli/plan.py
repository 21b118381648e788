"""`plan` and `show`: make a plan, look at a plan or a run."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intendant.cli.output import JsonFlag, say, show_json, show_lines, to_json_text
from intendant.cli.progress import ProgressView
from intendant.cli.requests import PlanRequest, read_intent, read_plan_file, resolve_words
from intendant.cli.session import session_of
from intendant.errors import InputError, NotFoundError
from intendant.views import markdown
from intendant.views.listing import resolution_lines
from intendant.views.text import plan_lines, run_lines

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan

_MarkdownFlag = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a comment on a pull request.")]
_HtmlFlag = Annotated[
    bool, typer.Option("--html", help="Print the plan's page as one HTML file that needs nothing else, for reading.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("plan")(make_plan)
    app.command("show")(show_item)


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
    file: Annotated[
        Path | None, typer.Option("-f", "--file", metavar="FILE", help="Plan what a YAML file says: hosts and steps.")
    ] = None,
    hosts: Annotated[str, typer.Option(metavar="PATTERN", help="Hosts and groups, in Ansible's pattern syntax.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the result as JSON, for reading; not for applying.")
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 0: nothing to change, 2: changes, 1: error.")
    ] = False,
    as_json: JsonFlag = False,
    as_markdown: _MarkdownFlag = False,
) -> None:
    """Predict what a request changes, without changing anything.

    Say it in words, or name an intent with its params, or a plan file:

    intendant plan install python 3.12 on web1

    intendant plan --intent python -p python_version=3.12 --hosts web1

    intendant plan -f plan.yml

    Exits 1 as well when a host could not be planned.
    """
    if [bool(request), bool(intent), file is not None].count(True) != 1:
        raise InputError("plan: give one of: a request in words, --intent NAME, or -f FILE.")
    if param and not intent:
        raise InputError("-p: goes with --intent NAME.")
    app = session_of(context).open()
    if file is not None:
        asked = read_plan_file(file, hosts)
    elif intent:
        asked = read_intent(app, intent, param or [], hosts)
    else:
        asked = _ask_in_words(app, " ".join(request or []), hosts, as_json)
    plan = _plan(app, asked)
    if out is not None:
        _write_result(app, plan, out)
    _show_plan(app, plan, as_json=as_json, as_markdown=as_markdown)
    if plan.errored:
        raise typer.Exit(1)
    if detailed_exitcode and plan.applyable:
        raise typer.Exit(2)


def show_item(
    context: typer.Context,
    item: Annotated[str, typer.Argument(metavar="PLAN|RUN", help="The id of a plan or a run.")],
    as_json: JsonFlag = False,
    as_markdown: _MarkdownFlag = False,
    as_html: _HtmlFlag = False,
) -> None:
    """Show a plan with its diffs, or a run with its results."""
    if sum((as_json, as_markdown, as_html)) > 1:
        raise InputError("show: give one of --json, --markdown and --html.")
    app = session_of(context).open()
    try:
        plan = app.store.get_plan(item)
    except NotFoundError:
        if as_html:
            raise InputError(f"--html: goes with a plan only, and there is no plan '{item}'.") from None
        return _show_run(app, item, as_json=as_json, as_markdown=as_markdown)
    if as_html:
        return _print_html(app, plan)
    return _show_plan(app, plan, as_json=as_json, as_markdown=as_markdown)


def current_status(app: App, plan: Plan) -> str:
    """The plan's stored status; ``expired`` when it is pending past its time."""
    status = app.store.plan_status(plan.id)
    return "expired" if status == "pending" and datetime.now(UTC) > plan.expires_at else status


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


def _plan(app: App, asked: PlanRequest) -> Plan:
    """Plans in a thread, so that an interrupt reaches us and the check-mode run is ended in order."""
    cancelled = threading.Event()
    with ProgressView(f"Planning on {asked.hosts}") as progress, ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            app.planner.plan_changes,
            asked.hosts,
            asked.steps,
            request=asked.words,
            client="cli",
            on_progress=progress,
            should_cancel=cancelled.is_set,
        )
        try:
            return future.result()
        except KeyboardInterrupt:
            cancelled.set()
            say("Stopping. Nothing is changed by planning.")
            raise


def _show_plan(app: App, plan: Plan, *, as_json: bool, as_markdown: bool) -> None:
    status, approval = current_status(app, plan), app.approver.current(plan.id)
    if as_json:
        from intendant.cli.results import whole_plan

        show_json(whole_plan(plan, status, approval=approval))
    elif as_markdown:
        typer.echo(markdown.render_plan(plan, status), nl=False)
    else:
        show_lines(plan_lines(plan, status, approval))


def _print_html(app: App, plan: Plan) -> None:
    from intendant.review.reading import read_page
    from intendant.views.html.pages import HtmlViews

    typer.echo(HtmlViews().render_file(read_page(app, plan.id, stays=False)), nl=False)


def _show_run(app: App, run_id: str, *, as_json: bool, as_markdown: bool) -> None:
    try:
        run = app.applier.wait_run(run_id)
    except NotFoundError:
        raise InputError(f"There is no plan or run '{run_id}'. See: intendant history") from None
    if as_markdown:
        raise InputError("--markdown: goes with a plan only.")
    if as_json:
        from intendant.cli.results import whole_run

        show_json(whole_run(run))
    else:
        show_lines(run_lines(run))


def _write_result(app: App, plan: Plan, path: Path) -> None:
    from intendant.cli.results import whole_plan

    text = to_json_text(whole_plan(plan, current_status(app, plan), approval=None))
    try:
        # Diffs show configuration: for the owner only.
        path.touch(mode=0o600)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror}. The plan itself is stored as {plan.id}.") from error
