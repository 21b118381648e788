"""The lab's command line. Hosts that `up` boots stay up until `down`, in a kept lab."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from .errors import LabError
from .labs import Lab
from .leftovers import clean as clean_machine
from .mirror import PythonMirror
from .needs import install_packages, missing
from .registry import read_hosts, read_lab, read_labs

app = typer.Typer(help="Real Debian hosts on this machine, for tests and the demo.", no_args_is_help=True)
LabName = Annotated[str, typer.Option("--lab", help="Which kept lab; each has hosts of its own.")]


@app.command()
def doctor() -> None:
    """Say whether hosts can boot here, and what is missing."""
    reasons = missing()
    typer.echo("\n".join(reasons) or "lab hosts can boot here")
    raise typer.Exit(1 if reasons else 0)


@app.command()
def install() -> None:
    """Install the packages that the lab needs (root, apt)."""
    install_packages()
    doctor()


@app.command()
def up(
    names: Annotated[list[str], typer.Argument(help="NAME or NAME=SUITE")],
    suite: Annotated[str, typer.Option(help="For names without one of their own.")] = "trixie",
    mirror: Annotated[bool, typer.Option("--mirror", help="Also serve a Python build to the hosts.")] = False,
    lab: LabName = "up",
) -> None:
    """Boot hosts and leave them running; prints the inventory."""
    suites = {name: own or suite for name, _, own in (word.partition("=") for word in names)}
    kept = Lab(name=lab)
    try:
        kept.boot_many({name: own for name, own in suites.items() if name not in kept.hosts})
        if mirror:
            PythonMirror(kept)
    except LabError:
        if not read_hosts(lab):
            kept.close()
        raise
    inventory(lab)


@app.command()
def down(
    names: Annotated[list[str] | None, typer.Argument()] = None,
    every: Annotated[bool, typer.Option("--all", help="All hosts of the lab.")] = False,
    lab: LabName = "up",
) -> None:
    """Stop hosts; with the last one the lab ends."""
    if not names and not every:
        raise LabError("name the hosts to stop, or give --all")
    kept = _existing(lab)
    for name in names or []:
        kept.stop(name)
    if every or not read_hosts(lab):
        kept.close()


@app.command("list")
def list_hosts() -> None:
    """List the hosts of all labs on this machine."""
    for record in read_hosts():
        owner = read_lab(record.lab)
        state = "up" if record.supervisor and record.supervisor.alive() else "dead"
        orphan = "" if owner and owner.alive() else "  (owner gone; `python -m lab clean`)"
        typer.echo(f"{record.lab:24} {record.name:24} {record.suite:10} {state}{orphan}")


@app.command()
def inventory(lab: LabName = "up") -> None:
    """Print the lab's Ansible inventory (YAML)."""
    kept = _existing(lab)
    lines = ["all:", "  hosts:"]
    for name, host in kept.hosts.items():
        # a JSON scalar is a YAML scalar too
        lines += [
            f"    {name}:",
            *(f"      {key}: {json.dumps(value)}" for key, value in host.inventory_vars().items()),
        ]
    if found := PythonMirror.find(kept):
        lines += ["  vars:", f"    lab_python_url: {found.url}", f'    lab_python_version: "{found.version}"']
    typer.echo("\n".join(lines))


@app.command(context_settings={"ignore_unknown_options": True})
def ssh(
    name: str,
    command: Annotated[list[str] | None, typer.Argument()] = None,
    user: Annotated[str, typer.Option(help="Log in as.")] = "",
    lab: LabName = "up",
) -> None:
    """Log in to a host, or run a command there."""
    hosts = _existing(lab).hosts
    if name not in hosts:
        raise LabError(f"no host {name}; there are {', '.join(hosts) or 'none'}")
    host = hosts[name]
    line = [*host.ssh_command(user=user or host.user), *(command or [])]
    os.execvp(line[0], line)


def _existing(name: str) -> Lab:
    # opening a lab makes it; whoever asks for its hosts does not want that
    if read_lab(name) is None:
        raise LabError(f"no lab {name}; there are {', '.join(lab.id for lab in read_labs()) or 'none'}")
    return Lab(name=name)


@app.command()
def clean() -> None:
    """Delete what labs left behind whose owner is gone."""
    typer.echo("\n".join(clean_machine()) or "nothing was left behind")
