"""The commands that are about files of hosts: files ls, files cat, files get."""

from typing import Annotated

import typer

from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.session import session_of
from intendant.views.lines import Line

_Host = Annotated[str, typer.Argument(metavar="HOST", help="One host of the inventory.", show_default=False)]
_Path = Annotated[str, typer.Argument(metavar="PATH", help="An absolute path on it.", show_default=False)]
_Sudo = Annotated[bool, typer.Option("--sudo", help="As root, or as the inventory's become_user.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    files = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at files of a host, or save them here.")
    files.command("ls")(list_files)
    files.command("cat")(show_file)
    files.command("get")(save_file)
    app.add_typer(files, name="files")


def list_files(
    context: typer.Context,
    host: _Host,
    path: _Path,
    start: Annotated[int, typer.Option(metavar="NUMBER", min=0, help="How many entries to leave out first.")] = 0,
    sudo: _Sudo = False,
    as_json: JsonFlag = False,
) -> None:
    """List a folder by name, hidden files too: 100 entries at a time."""
    from intendant.views.files import build_list, describe_rest, list_lines

    app = session_of(context).open()
    try:
        found = app.filer.list_files(host, path, start=start, sudo=sudo)
    finally:
        app.connections.close()
    if as_json:
        return show_json(build_list(found, start))
    show_lines(list_lines(found))
    if rest := describe_rest(found, start):
        say(f"{rest} The next ones: --start {start + len(found.entries)}")
    return None


def show_file(
    context: typer.Context,
    host: _Host,
    path: _Path,
    offset: Annotated[int, typer.Option(metavar="BYTES", min=0, help="Where to begin.")] = 0,
    limit: Annotated[int, typer.Option(metavar="BYTES", min=1, help="How much to show, at most 100000.")] = 20_000,
    sudo: _Sudo = False,
    as_json: JsonFlag = False,
) -> None:
    """Show a part of a file with secrets masked; what is no text as base64.

    'files get' saves the file as it is.
    """
    from intendant.views.files import build_page

    app = session_of(context).open()
    try:
        page = app.filer.read_file(host, path, offset=offset, limit=limit, sudo=sudo)
    finally:
        app.connections.close()
    if as_json:
        return show_json(build_page(page))
    if page.content:
        show_lines([Line(line) for line in page.content.splitlines()])
    if page.encoding == "base64":
        say("It is no text: this is base64.")
    if page.encoding == "withheld":
        say("It is no text, and something in it looks like a secret: not shown. 'files get' saves the file.")
    if page.next_offset is not None:
        say(f"{page.next_offset} of {page.size} bytes. The next ones: --offset {page.next_offset}")
    return None


def save_file(
    context: typer.Context,
    host: _Host,
    path: _Path,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="What to call it.", show_default="its own name")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of that name.")] = False,
    sudo: _Sudo = False,
    as_json: JsonFlag = False,
) -> None:
    """Save a file below the project's download folder, as it is: nothing is masked."""
    from intendant.views.files import build_saved

    app = session_of(context).open()
    try:
        saved = app.filer.download_file(host, path, name, overwrite=overwrite, sudo=sudo)
    finally:
        app.connections.close()
    if as_json:
        return show_json(build_saved(saved))
    show_lines([Line(f"{saved.saved}: {saved.size} bytes, sha256 {saved.sha256}")])
    return None
