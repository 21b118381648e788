"""`init` and `serve`."""

from pathlib import Path
from typing import Annotated

import typer

from intendant.cli.output import say
from intendant.cli.session import session_of
from intendant.scaffold import init_project


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("init")(make_project)
    app.command("serve")(serve_tools)


def make_project(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Its folder; made when missing.")] = Path(),
) -> None:
    """Make a project: settings, Ansible configuration, inventory. Existing files are kept as they are."""
    result = init_project(folder)
    for path in result.created:
        typer.echo(f"created  {path}")
    for path in result.kept:
        typer.echo(f"kept     {path}")
    say(result.advice)


def serve_tools(context: typer.Context) -> None:
    """Serve the MCP tools over stdio; an MCP client starts this."""
    from intendant.server import serve

    serve(session_of(context).project)
