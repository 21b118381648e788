"""`review --web`: a person reads a plan on a page and decides there."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from intendant.cli.output import say
from intendant.cli.show import current_status
from intendant.errors import InputError

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan

_POLL_SECONDS = 0.3
#: so long the browser may take to show what became of the answer.
_LINGER_SECONDS = 2


def ask_on_page(app: App, plan: Plan) -> None:
    """Serve the plan's page until it is answered there, or elsewhere, or has expired. Exits 1 unless it is approved.

    Raises:
        InputError: the output is no terminal: the address is a key, and belongs into no file and no pipe.
    """
    from intendant.review.serving import ReviewServer

    if not sys.stdout.isatty():
        raise InputError("review --web: stdout is no terminal. The page's address is a key, for a person alone.")
    server = ReviewServer(lambda: app, stays=False)
    try:
        typer.echo(f"\n  {server.invite(plan.id)}\n")
        say("Open it in a browser on this machine; it opens once. Ctrl-C ends this and leaves the plan as it is.")
        outcome = _wait_answer(app, plan)
        time.sleep(_LINGER_SECONDS)
    finally:
        server.close()
    if outcome != "approved":
        say(f"Plan {plan.id} is {outcome}. It cannot be applied.")
        raise typer.Exit(1)
    say(f"Approved, for one apply: intendant apply {plan.id}")


def _wait_answer(app: App, plan: Plan) -> str:
    while True:
        status = current_status(app, plan)
        if status != "pending":
            return "approved" if status == "applied" else status
        if app.approver.current(plan.id) is not None:
            return "approved"
        time.sleep(_POLL_SECONDS)
