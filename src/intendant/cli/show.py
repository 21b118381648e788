"""`show`: a plan, the file of a portable one, or a run, in one of several forms."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from intendant.cli.output import JsonFlag, show_json, show_lines
from intendant.cli.portable import as_file
from intendant.cli.session import Session, session_of
from intendant.errors import InputError, NotFoundError, ProjectError
from intendant.views.text import plan_lines, run_lines

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.approvals import Approval
    from intendant.plans import Plan
    from intendant.runs import Run

HtmlFlag = Annotated[bool, typer.Option("--html", help="The same as --format html: one file that needs nothing else.")]
MarkdownFlag = Annotated[bool, typer.Option("--markdown", help="The same as --format markdown.")]


class Format(StrEnum):
    """The forms that a plan or a run can be shown in."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("show")(show_item)


def show_item(
    context: typer.Context,
    item: Annotated[
        str, typer.Argument(metavar="PLAN|FILE|RUN", help="The id of a plan or a run, or the file of a portable plan.")
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="The form of the output.", show_default="text", case_sensitive=True),
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(min=0, metavar="N", help="With markdown: no longer than this; 0 for all of it.")
    ] = 0,
    link: Annotated[
        str, typer.Option(metavar="URL", help="With markdown: where all of it can be read, as its last line.")
    ] = "",
    as_json: JsonFlag = False,
    as_markdown: MarkdownFlag = False,
    as_html: HtmlFlag = False,
) -> None:
    """Show a plan with its diffs, or a run with its results.

    The file of a portable plan is checked, and nothing else is done with it.
    """
    chosen = choose_format(form, as_json=as_json, as_markdown=as_markdown, as_html=as_html)
    if (max_bytes or link) and chosen is not Format.MARKDOWN:
        raise InputError("--max-bytes, --link: go with --format markdown.")
    session = session_of(context)
    if (path := as_file(item)) is not None:
        if chosen is Format.HTML:
            raise InputError("--format html: goes with a plan of this project; 'intendant review FILE' takes one in.")
        from intendant.portable import read_portable

        plan = read_portable(path).plan
        return show_plan(plan, _status_of_file(session, plan), None, chosen, max_bytes=max_bytes, link=link)
    app = session.open()
    try:
        plan = app.store.get_plan(item)
    except NotFoundError:
        return _show_run(_find_run(app, item), chosen)
    if chosen is Format.HTML:
        return _print_html(app, plan)
    approval = app.approver.current(plan.id)
    return show_plan(plan, current_status(app, plan), approval, chosen, max_bytes=max_bytes, link=link)


def choose_format(form: Format | None, *, as_json: bool, as_markdown: bool, as_html: bool = False) -> Format:
    """The one form that is asked for.

    Raises:
        InputError: several are.
    """
    flags = {Format.JSON: as_json, Format.MARKDOWN: as_markdown, Format.HTML: as_html}
    asked = {one for one in (form, *(one for one, given in flags.items() if given)) if one is not None}
    if len(asked) > 1:
        raise InputError("--format, --json, --markdown, --html: give one of them.")
    return asked.pop() if asked else Format.TEXT


def current_status(app: App, plan: Plan) -> str:
    """The plan's stored status; ``expired`` when it is pending past its time."""
    return _with_time(app.store.plan_status(plan.id), plan)


def show_plan(
    plan: Plan, status: str, approval: Approval | None, form: Format, *, max_bytes: int = 0, link: str = ""
) -> None:
    """Print a plan; ``approval`` is the current unused one, if there is one."""
    if form is Format.TEXT:
        return show_lines(plan_lines(plan, status, approval))
    if form is Format.JSON:
        from intendant.cli.results import whole_plan

        return show_json(whole_plan(plan, status, approval=approval))
    from intendant.views import junit, markdown, sarif

    if form is Format.MARKDOWN:
        return typer.echo(markdown.render_plan(plan, status, max_bytes=max_bytes, link=link), nl=False)
    return typer.echo({Format.JUNIT: junit, Format.SARIF: sarif}[form].render_plan(plan), nl=False)


def _print_html(app: App, plan: Plan) -> None:
    from intendant.review.reading import read_page
    from intendant.views.html.pages import HtmlViews

    typer.echo(HtmlViews().render_file(read_page(app, plan.id, stays=False)), nl=False)


def _show_run(run: Run, form: Format) -> None:
    if form is Format.TEXT:
        return show_lines(run_lines(run))
    if form is Format.JSON:
        from intendant.cli.results import whole_run

        return show_json(whole_run(run))
    if form in (Format.MARKDOWN, Format.HTML):
        raise InputError(f"--format {form}: goes with a plan only.")
    from intendant.views import junit, sarif

    return typer.echo({Format.JUNIT: junit, Format.SARIF: sarif}[form].render_run(run), nl=False)


def _find_run(app: App, run_id: str) -> Run:
    try:
        return app.applier.wait_run(run_id)
    except NotFoundError:
        raise InputError(f"There is no plan or run '{run_id}'. See: intendant history") from None


def _status_of_file(session: Session, plan: Plan) -> str:
    """Where a plan stands in this project, if there is one and the plan is known to it."""
    try:
        store = session.open().store
        known = store.find_plan(plan.id)
        status = store.plan_status(plan.id) if known and known.digest == plan.digest else "pending"
    except ProjectError:
        status = "pending"
    return _with_time(status, plan)


def _with_time(status: str, plan: Plan) -> str:
    return "expired" if status == "pending" and datetime.now(UTC) > plan.expires_at else status
