"""`enroll`: a passkey of the person's own, to approve plans with."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from intendant.cli.output import say
from intendant.cli.session import session_of
from intendant.config import load_config
from intendant.errors import InputError
from intendant.passkeys import PasskeyFile, find_changeable

_POLL_SECONDS = 0.3
#: so long the browser may take to show that it is done.
_LINGER_SECONDS = 2


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("enroll")(enroll_key)


def enroll_key(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What you call the key, such as 'desk key'.", show_default=False)
    ] = "",
    list_keys: Annotated[bool, typer.Option("--list", help="List the enrolled keys.")] = False,
) -> None:
    """Enroll a passkey, on a page in a browser on this machine; prints its address, which opens once.

    Every further key needs the confirmation of one that is enrolled. To take a key out, delete it from the file that
    --list names.
    """
    file = PasskeyFile(load_config(session_of(context).project).passkeys_file)
    if bool(name) == list_keys:
        raise InputError("enroll: give a name for the key, or --list.")
    if list_keys:
        return _list_keys(file)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("enroll: this is no terminal. The page's address is a key, for a person alone.")
    file.check_name(name)
    file.check_writable()
    return _serve(file, name)


def _serve(file: PasskeyFile, name: str) -> None:
    from intendant.app import utc_now
    from intendant.review.registering import Enrolment, EnrolServer

    enrolment = Enrolment(file, name, utc_now)
    server = EnrolServer(enrolment)
    try:
        typer.echo(f"\n  {server.invite()}\n")
        say("Open it in a browser on this machine; it opens once. Ctrl-C ends this and enrolls nothing.")
        while not enrolment.done.wait(_POLL_SECONDS):
            pass
        time.sleep(_LINGER_SECONDS)
    finally:
        server.close()
    say(f"'{name}' is enrolled in {file.path}.")
    if changeable := find_changeable(file.path):
        say(
            f"Your programs can change {changeable}, and so could let in a key of their own. Keep the file in git and "
            "look at its changes, or where only root writes: see 'passkeys' in docs/project-settings.md."
        )


def _list_keys(file: PasskeyFile) -> None:
    keys = file.load()
    for key in keys:
        kind = "synced between devices" if key.synced else "on one device"
        typer.echo(f"{key.name}  added {key.added:%Y-%m-%d}  {kind}  {key.id[:16]}")
    say(f"{len(keys)} in {file.path}. To take one out, delete its entry there.")
