"""`hosts`, `hosts add`, `hosts edit` and `hosts remove`."""

import difflib
import json
import sys
import termios
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from intendant.cleaning import sanitize
from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.session import session_of
from intendant.errors import InputError
from intendant.views.lines import Line, Tone
from intendant.views.listing import host_lines

if TYPE_CHECKING:
    from intendant.edits import Edit


class HostsGroup(TyperGroup):
    """`hosts PATTERN` beside `hosts add …`: a first word that is no command is the pattern."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the pattern that a command does without into its place; without a command take options anywhere."""
        if args and args[0] in self.commands:
            return super().parse_args(ctx, ["all", *args])
        ctx.allow_interspersed_args = True
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """All of them for itself; in the usage of its commands the pattern has no place."""
        params = super().get_params(ctx)
        return params if ctx.command is self else [item for item in params if item.param_type_name != "argument"]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    hosts = typer.Typer(cls=HostsGroup, invoke_without_command=True, rich_markup_mode=None)
    hosts.callback()(list_hosts)
    hosts.command("add")(add_host)
    hosts.command("edit")(edit_host)
    hosts.command("remove")(remove_host)
    app.add_typer(hosts, name="hosts")


def list_hosts(
    context: typer.Context,
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="Hosts and groups in Ansible's pattern syntax.")
    ] = "all",
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Log in to each host and say what fails first and what mends it. "
            "Exits 0 when all can be reached, 1 when some cannot, 2 when they could not be checked.",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Hosts of the inventory: groups, how each is reached, its last run; with --check whether it can be.

    'hosts add', 'hosts edit' and 'hosts remove' change the inventory's YAML files.
    """
    if context.invoked_subcommand:
        return None
    if check:
        from intendant.cli.reaching import check_hosts

        return check_hosts(session_of(context), pattern, as_json)
    app = session_of(context).open()
    view, last_runs = app.inventory.read(pattern), app.store.last_runs()
    if not as_json:
        return show_lines(host_lines(view, last_runs))
    from intendant.cli.results import whole_hosts

    return show_json(whole_hosts(view, last_runs))


_NAME = Annotated[str, typer.Argument(metavar="NAME", help="As the inventory calls it.")]
_USER = Annotated[str, typer.Option(metavar="NAME", help="Who logs in.", show_default="ssh decides")]
_PORT = Annotated[int, typer.Option(min=0, max=65535, help="Its SSH port.", show_default="ssh decides")]
_KEY = Annotated[str, typer.Option(metavar="FILE", help="The private key.", show_default="ssh decides")]
_JUMP = Annotated[str, typer.Option(metavar="HOST", help="Reach it through [USER@]HOST[:PORT].")]
_GROUPS = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="A group to be in, made when missing; repeatable.")
]
_VARIABLES = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A variable; true, numbers, lists and dicts as in YAML; repeatable."),
]


def add_host(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the inventory calls it.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where it is: a name or an IP address.")],
    user: _USER = "",
    port: _PORT = 0,
    key: _KEY = "",
    jump: _JUMP = "",
    group: _GROUPS = None,
    var: _VARIABLES = None,
) -> None:
    """Add a host to the inventory's YAML file and its key to known_hosts, when you say that the key is the host's."""
    from intendant.enrollments import HostRequest

    _require_terminal("hosts add")
    app = session_of(context).open()
    said = HostRequest(name, address, user, port, key, jump, tuple(group or ()), (), _read_variables(var))
    edit = app.enroller.prepare_addition(said)
    _show_changes(edit)
    _confirm(edit, "Add the host?", "Nothing was added.")
    app.editor.commit(edit)
    say(f"Added. Next: intendant hosts --check {name}")


def edit_host(
    context: typer.Context,
    name: _NAME,
    address: Annotated[str, typer.Option(metavar="ADDRESS", help="Where it is by now.")] = "",
    user: _USER = "",
    port: _PORT = 0,
    key: _KEY = "",
    jump: _JUMP = "",
    group: _GROUPS = None,
    ungroup: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A group to leave; repeatable.")] = None,
    var: _VARIABLES = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A variable to take away; repeatable.")
    ] = None,
) -> None:
    """Change a host's groups, its variables, or how it is reached; at another address you are asked for its key."""
    from intendant.enrollments import HostRequest

    _require_terminal("hosts edit")
    app = session_of(context).open()
    variables = {**_read_variables(var), **dict.fromkeys(unset or ())}
    said = HostRequest(name, address, user, port, key, jump, tuple(group or ()), tuple(ungroup or ()), variables)
    edit = app.enroller.prepare_edit(said)
    _show_changes(edit)
    _confirm(edit, "Change the inventory?", "Nothing was changed.")
    app.editor.commit(edit)
    say("Changed.")


def remove_host(context: typer.Context, name: _NAME) -> None:
    """Take a host out of the inventory's YAML files. The host itself is not touched; its key stays in known_hosts."""
    _require_terminal("hosts remove")
    app = session_of(context).open()
    edit = app.enroller.prepare_removal(name)
    _show_changes(edit)
    _confirm(edit, f"Remove {name} from the inventory?", "Nothing was removed.")
    app.editor.commit(edit)
    say("Removed.")


def _confirm(edit: "Edit", question: str, refusal: str) -> None:
    """Ask, and end with 1 without a yes. A new key is confirmed by its fingerprint, too."""
    answers = ["yes"]
    if edit.key is not None:
        say(f"\n{edit.key.place} presents the key {edit.key.fingerprint}")
        if edit.key.is_new:
            kind = edit.key.fingerprint.partition(" ")[0].lower()
            say(f"It is not known yet. On the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub")
            question = "Is this the host's key? yes, no, or the fingerprint that you see there: "
            answers += [edit.key.fingerprint, edit.key.fingerprint.split()[-1]]
        else:
            say("This machine knows it already.")
    answer = _ask(question if question.endswith(": ") else f"{question} yes or no: ")
    if answer not in answers:
        known = answer in ("no", "") or len(answers) == 1
        say(refusal if known else f"That is neither yes nor this fingerprint. {refusal}")
        raise typer.Exit(1)


def _read_variables(words: list[str] | None) -> dict[str, Any]:
    """NAME=VALUE, the value as YAML has it.

    Raises:
        InputError: a word without =, or a value that is no YAML or of no JSON type.
    """
    import yaml

    found: dict[str, Any] = {}
    for word in words or ():
        name, mark, text = word.partition("=")
        try:
            value = yaml.safe_load(text) if mark else None
            json.dumps(value)
        except (yaml.YAMLError, TypeError, ValueError):
            value = text  # a date, or what only looks like YAML
        if not mark or not name:
            raise InputError(f"--var: {word[:80]!r} is not of the form NAME=VALUE.")
        found[name] = "" if value is None else value
    return found


def _require_terminal(command: str) -> None:
    if not sys.stdin.isatty():
        raise InputError(f"{command}: stdin is no terminal. A person must compare the key and answer on a terminal.")


def _show_changes(edit: "Edit") -> None:
    lines = []
    for change in edit.files:
        before, after = change.before.splitlines(), change.after.splitlines()
        for text in difflib.unified_diff(before, after, str(change.path), str(change.path), lineterm=""):
            tone: Tone = "added" if text.startswith("+") else "removed" if text.startswith("-") else "dim"
            lines.append(Line(sanitize(text), tone))
    show_lines(lines)


def _ask(question: str) -> str:
    """One line. What was typed before the question was shown does not count."""
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    typer.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise typer.Abort
    return line.strip()
