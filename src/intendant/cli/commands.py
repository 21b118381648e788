"""The command that is about shell commands: exec."""

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field

from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.session import session_of
from intendant.errors import InputError

if TYPE_CHECKING:
    from intendant.commands import CommandResult

_HOSTS_FAILED, _NOT_RUN = 1, 1
_TIMED_OUT = 124  # as timeout(1)


class _Classified(BaseModel):
    """What is printed."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: str = Field(serialization_alias="class")
    reason: str
    equivalent: str = ""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("exec")(execute_command)


def execute_command(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="HOSTS -- COMMAND",
            help="Hosts in Ansible's pattern syntax, then the command line. With --classify, only the command line.",
            show_default=False,
        ),
    ],
    classify: Annotated[
        bool, typer.Option("--classify", help="Print the command's class and the reason as JSON, and run nothing.")
    ] = False,
    sudo: Annotated[bool, typer.Option("--sudo", help="Run it as root, or as the inventory's become_user.")] = False,
    timeout: Annotated[int, typer.Option(metavar="SECONDS", help="End it on the host after this time.")] = 30,
    as_json: JsonFlag = False,
) -> None:
    """Run a shell command on hosts now, if it is known to only read.

    Of any other a plan is made: of an intent that does the same where one is known, else of the command itself.

    The command line is one argument, in quotes; several are taken as the words of one simple command. Exits with the
    command's own exit code for a single host (124 when it took too long), else 0 when it was 0 everywhere, and 1.
    """
    if classify:
        return _classify(words, sudo=sudo)
    if len(words) < 2:
        raise InputError("exec: give HOSTS and the command, as in: intendant exec web1 -- 'systemctl status nginx'")
    app = session_of(context).open()
    try:
        result = app.commander.run_command(words[0], _join(words[1:]), sudo=sudo, timeout=timeout)
    finally:
        app.connections.close()
    from intendant.views.commands import build_command, command_lines

    following = _next_of(result)
    if as_json:
        show_json(build_command(result.model_copy(update={"next": following})))
    else:
        show_lines(command_lines(result))
        if following:
            say(following)
    raise typer.Exit(_exit_code(result))


def _next_of(result: "CommandResult") -> str:
    if result.applyable:
        what = "The plan of the same" if result.equivalent else "What it changes cannot be predicted. It"
        review = f"{what} waits for approval: intendant review {result.plan_id}"
        literally = (
            "For the command itself: intendant plan --intent command -p command_line=… --hosts …"
            if result.equivalent
            else ""
        )
        return "\n".join(filter(None, [result.note, review, literally]))
    if result.plan_id:
        return result.note
    if result.output_id:
        return f"The whole output is kept in the state folder for a day: outputs/{result.output_id}"
    return "" if result.executed else result.next


def _join(words: list[str]) -> str:
    import shlex

    return words[0] if len(words) == 1 else shlex.join(words)


def _exit_code(result: "CommandResult") -> int:
    if not result.executed:
        return _NOT_RUN
    outputs = [(group.output, len(group.hosts)) for group in result.groups]
    if len(outputs) == 1 and outputs[0][1] == 1:
        output = outputs[0][0]
        return _HOSTS_FAILED if output.error else _TIMED_OUT if output.ended else output.exit_code or 0
    return 0 if all(output.exit_code == 0 for output, _ in outputs) else _HOSTS_FAILED


def _classify(words: list[str], *, sudo: bool) -> None:
    if len(words) != 1:
        raise InputError(f"COMMAND: give the command line as one argument, in quotes; these are {len(words)}.")
    # Imported late: --help need not pay for the parser.
    from intendant.equivalents.entries import load_entries
    from intendant.equivalents.finding import find_equivalent
    from intendant.redaction import Redactor
    from intendant.shell.classifying import classify as classify_text
    from intendant.shell.rules import load_rules

    verdict = classify_text(words[0], load_rules())
    found = _Classified(kind=verdict.kind, reason=verdict.reason)
    if verdict.kind != "read" and (equivalent := find_equivalent(words[0], load_entries(), root=sudo)):
        found.equivalent = Redactor().redact(equivalent.describe())
    show_json(found)
