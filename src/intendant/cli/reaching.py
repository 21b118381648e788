"""`hosts --check`: whether hosts can be reached, with exit codes for scripts."""

import typer

from intendant.cli.output import say, show_json, show_lines
from intendant.cli.session import Session
from intendant.errors import IntendantError
from intendant.reach.results import group_checks
from intendant.views.reaching import check_lines, whole_checks

UNREACHABLE, NOT_CHECKED = 1, 2


def check_hosts(session: Session, pattern: str, as_json: bool) -> None:
    """Print the outcome. Ends with 1 when a host cannot be reached, with 2 when none could be checked."""
    try:
        found, _ = session.open().checker.check(pattern)
    except IntendantError as error:
        say(f"error: {error}")
        raise typer.Exit(NOT_CHECKED) from error
    if as_json:
        show_json(whole_checks(found))
    else:
        show_lines(check_lines(group_checks(found)))
    if not all(host.ok for host in found):
        raise typer.Exit(UNREACHABLE)
