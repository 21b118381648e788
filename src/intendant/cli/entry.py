"""The entry point: global options, logging, and how errors end the process."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from intendant import __version__
from intendant.cli import commands, enroll, export, files, hosts, look, looking, plan, review, run, setup, show
from intendant.cli.output import say
from intendant.cli.session import Session
from intendant.errors import IntendantError

_EPILOG = (
    "Every command exits 0 when it did what was asked, 1 on any error (a wrong option too) and 130 when interrupted. "
    "'plan --detailed-exitcode' exits 2 when there are changes, 'hosts --check' when they could not be checked, "
    "'apply -f' 3 when a person is needed, 'exec' with the exit code of the command that it ran."
)
_LOG_FORMAT = "%(asctime)s level=%(levelname)s logger=%(name)s %(message)s"

app = typer.Typer(
    name="intendant",
    help="Configure real servers: a request becomes a plan with its diff, a person approves it, and it is applied.",
    epilog=_EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
for module in (setup, enroll, hosts, look, plan, show, review, run, commands, looking, files, export):
    module.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"intendant {__version__}")
        raise typer.Exit


@app.callback()
def _set_up(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", envvar="INTENDANT_PROJECT", help="The project's folder.", show_default="here or above"
        ),
    ] = None,
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Log to stderr; -vv logs more.")] = 0,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(stream=sys.stderr, level=level, format=_LOG_FORMAT, force=True)
    context.obj = Session(project=project)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (default: the process's own arguments) and return its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = app(args=words, prog_name="intendant", standalone_mode=False)
        sys.stdout.flush()
    except IntendantError as error:
        return _fail(str(error))
    except typer.TyperException as error:
        # Wrong options end with 1 as well; only where 1 is an answer (hosts --check) they end with 2.
        code = 2 if {"hosts", "--check"} <= set(words) else 1
        return _fail(f"{error.format_message()} See 'intendant --help'.", code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python must not fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        logging.getLogger(__name__).info("unexpected error", exc_info=True)
        hint = "" if _is_verbose() else " Run it again with 'intendant -v …' to see where."
        return _fail(f"An internal error happened ({type(error).__name__}).{hint}")
    return code if isinstance(code, int) else 0


def _is_verbose() -> bool:
    return logging.getLogger().isEnabledFor(logging.INFO)


def _fail(message: str, code: int = 1) -> int:
    say(f"error: {message}")
    return code
