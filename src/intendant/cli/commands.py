"""The command that is about shell commands: exec."""

from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field

from intendant.cli.output import show_json
from intendant.errors import InputError


class _Classified(BaseModel):
    """What is printed."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: str = Field(serialization_alias="class")
    reason: str


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("exec")(execute_command)


def execute_command(
    words: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The command line, as one argument.", show_default=False)
    ],
    classify: Annotated[
        bool, typer.Option("--classify", help="Print the command's class and the reason as JSON, and run nothing.")
    ] = False,
) -> None:
    """Tell what a shell command would do: read, change, destructive or unknown."""
    if not classify:
        raise InputError(
            "exec: running commands is not there yet. 'intendant exec --classify -- COMMAND' tells their class."
        )
    if len(words) != 1:
        raise InputError(f"COMMAND: give the command line as one argument, in quotes; these are {len(words)}.")
    # Imported late: --help need not pay for the parser.
    from intendant.shell.classifying import classify as classify_text
    from intendant.shell.rules import load_rules

    verdict = classify_text(words[0], load_rules())
    show_json(_Classified(kind=verdict.kind, reason=verdict.reason))
