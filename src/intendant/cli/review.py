"""`review`: a person reads a plan on a terminal and decides."""

from __future__ import annotations

import sys
import termios
from typing import TYPE_CHECKING, Annotated

import typer

from intendant.approvals import review_command
from intendant.cli.output import say, show_lines
from intendant.cli.page import ask_on_page
from intendant.cli.portable import take_in
from intendant.cli.session import session_of
from intendant.cli.show import current_status
from intendant.errors import InputError, PolicyError
from intendant.processes import identify_user
from intendant.views.text import prediction_lines

if TYPE_CHECKING:
    from intendant.plans import Plan


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("review")(review_plan)


def review_plan(
    context: typer.Context,
    item: Annotated[str, typer.Argument(metavar="PLAN|FILE", help="The plan's id, or the file of a portable plan.")],
    web: Annotated[
        bool,
        typer.Option("--web", help="Ask on a page in a browser on this machine; prints its address, which opens once."),
    ] = False,
) -> None:
    """Show a plan with its diffs, ask on the terminal, and record the answer. Exits 0 when the plan is approved."""
    if not sys.stdin.isatty():
        raise InputError("review: stdin is no terminal. A person must read the plan and answer on a terminal.")
    app = session_of(context).open()
    plan_id = take_in(app, item)
    plan = app.store.get_plan(plan_id)
    status, approval = current_status(app, plan), app.approver.current(plan_id)
    _require_reviewable(plan, status, "page" if web else "terminal", approved=approval is not None)
    if web and "passkey" in plan.approval_channels and not app.keys.load():
        raise InputError("review: only a passkey approves this plan, and none is enrolled: intendant enroll NAME")
    if web:
        return ask_on_page(app, plan)
    show_lines(prediction_lines(plan, status))
    if plan.approval_channels:
        say(f"\nWhy you are asked: {plan.approval_reason}.")
    else:
        say(f"\nThe policy asked nobody when this plan was made; perhaps this is enough: intendant apply {plan.id}")
    decision, comment = _ask(plan)
    if not decision:
        app.approver.reject(plan_id, who=identify_user(), channel="terminal", comment=comment)
        say(f"Rejected. Plan {plan_id} cannot be applied.")
        raise typer.Exit(1)
    given = app.approver.record(plan_id, plan.digest, who=identify_user(), channel="terminal", comment=comment)
    return say(f"Approved until {given.until:%Y-%m-%d %H:%M UTC}, for one apply: intendant apply {plan_id}")


def _require_reviewable(plan: Plan, status: str, channel: str, *, approved: bool) -> None:
    if status != "pending":
        raise InputError(f"review: plan {plan.id} is {status}: there is nothing to approve.")
    if not plan.applyable:
        raise InputError(f"review: plan {plan.id} has nothing to apply.")
    if approved:
        raise InputError(f"review: plan {plan.id} is approved already. Apply it: intendant apply {plan.id}")
    # Without channels the policy asked nobody when the plan was made; it may be stricter by now.
    wanted = plan.approval_channels
    if "passkey" in wanted:
        if channel != "page":
            command = review_command(plan.id, wanted)
            raise PolicyError(f"review: only a passkey approves this plan, and a terminal has none. Run: {command}")
    elif wanted and channel not in wanted:
        raise PolicyError(f"review: the policy takes approvals only through: {', '.join(wanted)}.")


def _ask(plan: Plan) -> tuple[bool, str]:
    """The decision and the comment. What was typed before the question was shown does not count."""
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    comment = ""
    while True:
        answer = _read("Approve this plan? yes, no, or comment: ").lower()
        if answer == "no":
            return False, comment
        if answer == "comment":
            comment = _read("Comment, kept with your answer: ")
        elif answer != "yes":
            say("Type yes, no or comment; Ctrl-C leaves the plan as it is.")
        elif not plan.destructive or _confirm_destructive(plan):
            return True, comment


def _confirm_destructive(plan: Plan) -> bool:
    say("This plan deletes something, or does something that could not be predicted.")
    if _read(f"Type its hosts ({plan.pattern}) to approve it: ") == plan.pattern:
        return True
    say("That was something else: not approved.")
    return False


def _read(question: str) -> str:
    typer.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise typer.Abort
    return line.strip()
