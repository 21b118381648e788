"""`export`: the history as a playbook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from intendant.cli.output import JsonFlag, say, show_json
from intendant.cli.session import session_of
from intendant.errors import InputError

_RUN = "run-"


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("export")(export_playbook)


def export_playbook(
    context: typer.Context,
    items: Annotated[
        list[str] | None, typer.Argument(metavar="PLAN|RUN", help="Ids of plans, or of runs.", show_default=False)
    ] = None,
    hosts: Annotated[
        str, typer.Option(metavar="PATTERN", help="In place of ids: everything that was applied to these hosts.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to this file.", show_default="print it")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace a file that is there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the history as a playbook that ansible-playbook runs without Intendant.

    intendant export --hosts web1 --out web1.yml

    What later steps took back or said again is not in it, secrets are variables, and comments say what each play came
    from. 'intendant plan -f FILE' makes plans of it again.
    """
    # Late: it brings the database and Ansible.
    from intendant.views.exports import view_export

    if force and out is None:
        raise InputError("--force: goes with --out FILE.")
    ids = items or []
    runs = [name for name in ids if name.startswith(_RUN)]
    plans = [name for name in ids if not name.startswith(_RUN)]
    found = session_of(context).open().exporter.export(plans=plans, runs=runs, hosts=hosts)
    if out is not None:
        _write(out, found.text, force=force)
        say(f"The playbook is written to {out}.")
    for reason in found.left_out:
        say(f"left out: {reason}")
    if found.secrets:
        say(f"Secrets are not in it. Put these variables into a vault: {', '.join(found.secrets)}")
    if as_json:
        return show_json(view_export(found))
    return None if out is not None else typer.echo(found.text, nl=False)


def _write(path: Path, text: str, *, force: bool) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
        if force:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # fails where something is there
    except FileExistsError as error:
        raise InputError(f"--out {path}: is there already. Name another file, or replace it with --force.") from error
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
