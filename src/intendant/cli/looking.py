"""The commands that look at hosts: logs and facts."""

from typing import Annotated

import typer

from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.session import session_of

_HOSTS_FAILED = 1

Hosts = Annotated[str, typer.Argument(metavar="HOSTS", help="Hosts in Ansible's pattern syntax.", show_default=False)]
SudoFlag = Annotated[bool, typer.Option("--sudo", help="Look as root, or as the inventory's become_user.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("logs")(show_logs)
    app.command("facts")(show_facts)


def show_logs(
    context: typer.Context,
    hosts: Hosts,
    unit: Annotated[str, typer.Option(metavar="NAME", help="The journal of this systemd unit.")] = "",
    path: Annotated[str, typer.Option(metavar="FILE", help="A file on the hosts, as an absolute path.")] = "",
    lines: Annotated[int, typer.Option(metavar="N", help="The last N lines, 1 to 1000.")] = 100,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Of a unit: '1h', '10 min ago', 'today', or ISO 8601 (UTC where it names no zone).",
        ),
    ] = "",
    grep: Annotated[
        str, typer.Option(metavar="REGEX", help="Only lines that this extended regular expression matches.")
    ] = "",
    sudo: SudoFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the last lines of a unit's journal, or of a file, on hosts; times are UTC.

    Exits with 1 when a host's log could not be read.
    """
    from intendant.logs import LogQuery
    from intendant.views.looking import build_logs, log_lines

    query = LogQuery(unit=unit, path=path, lines=lines, since=since, grep=grep)
    app = session_of(context).open()
    try:
        result = app.tailer.tail_log(hosts, query, sudo=sudo)
    finally:
        app.connections.close()
    if as_json:
        show_json(build_logs(result))
    else:
        show_lines(log_lines(result))
        if result.output_id:
            say(f"The whole output is kept in the state folder for a day: outputs/{result.output_id}")
    if any(group.error for group in result.groups):
        raise typer.Exit(_HOSTS_FAILED)


def show_facts(
    context: typer.Context,
    hosts: Hosts,
    topic: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="system, packages, services, disks, network, users or listening; may be given several times.",
        ),
    ] = ["system"],  # noqa: B006 (nobody writes to it)
    match: Annotated[
        str, typer.Option(metavar="TEXT", help="Only rows whose name holds this, or fits this glob.")
    ] = "",
    max_age: Annotated[
        int, typer.Option(metavar="SECONDS", help="Take what was read at most so long ago; 0 asks now.")
    ] = 300,
    sudo: SudoFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what hosts are and have: system, packages, services, disks, network, users, ports that are listened on.

    Exits with 1 when a host could not be asked.
    """
    from intendant.gathering import FactQuery
    from intendant.views.looking import facts_lines, whole_facts

    app = session_of(context).open()
    query = FactQuery(tuple(topic), match, max_age, sudo)
    try:
        found, _ = app.gatherer.gather_facts(hosts, query)
    finally:
        app.connections.close()
    if as_json:
        show_json(whole_facts(found))
    else:
        show_lines(facts_lines(found))
    if any(host.error for host in found):
        raise typer.Exit(_HOSTS_FAILED)
