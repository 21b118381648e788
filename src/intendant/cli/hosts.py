"""`hosts`, `hosts add` and `hosts remove`."""

import difflib
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
    from intendant.enrolling import Enrollment


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

    'hosts add' and 'hosts remove' edit the inventory's YAML file.
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


def add_host(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the inventory calls it.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where it is: a name or an IP address.")],
    user: Annotated[str, typer.Option(metavar="NAME", help="Who logs in.", show_default="ssh decides")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its SSH port.", show_default="ssh decides")] = 0,
    key: Annotated[str, typer.Option(metavar="FILE", help="The private key.", show_default="ssh decides")] = "",
    jump: Annotated[str, typer.Option(metavar="HOST", help="Reach it through [USER@]HOST[:PORT].")] = "",
    group: Annotated[str, typer.Option(metavar="NAME", help="Its group, made when missing.")] = "",
) -> None:
    """Add a host to the inventory's YAML file and its key to known_hosts, when you say that the key is the host's."""
    from intendant.enrolling import Enroller, NewHost

    _require_terminal("hosts add")
    app = session_of(context).open()
    enroller = Enroller(app.config, app.inventory)
    enrollment = enroller.prepare_addition(NewHost(name, address, user, port, key, jump, group))
    _show_changes(enrollment)
    say(f"\n{address} presents the key {enrollment.fingerprint}")
    if not enrollment.is_new:
        say("This machine knows it already.")
        answer = _ask("Add the host? yes or no: ")
    else:
        say("It is not known yet. On the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        answer = _ask("Is this the host's key? yes, no, or the fingerprint that you see there: ")
    if answer not in ("yes", enrollment.fingerprint.split()[-1], enrollment.fingerprint):
        say(
            "Nothing was added."
            if answer in ("no", "")
            else "That is neither yes nor this fingerprint: nothing was added."
        )
        raise typer.Exit(1)
    enroller.commit(enrollment)
    say(f"Added. Next: intendant hosts --check {name}")


def remove_host(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="As the inventory calls it.")]
) -> None:
    """Take a host out of the inventory's YAML file. The host itself is not touched; its key stays in known_hosts."""
    from intendant.enrolling import Enroller

    _require_terminal("hosts remove")
    app = session_of(context).open()
    enroller = Enroller(app.config, app.inventory)
    enrollment = enroller.prepare_removal(name)
    _show_changes(enrollment)
    if _ask(f"Remove {name} from the inventory? yes or no: ") != "yes":
        say("Nothing was removed.")
        raise typer.Exit(1)
    enroller.commit(enrollment)
    say("Removed.")


def _require_terminal(command: str) -> None:
    if not sys.stdin.isatty():
        raise InputError(f"{command}: stdin is no terminal. A person must compare the key and answer on a terminal.")


def _show_changes(enrollment: "Enrollment") -> None:
    lines = []
    for change in enrollment.changes:
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
