"""Commands that only look: intents, history, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from intendant.cleaning import sanitize
from intendant.cli.output import JsonFlag, say, show_json, show_lines
from intendant.cli.requests import resolve_words
from intendant.cli.session import session_of
from intendant.errors import InputError
from intendant.views.listing import history_lines, intent_lines, intents_lines, resolution_lines


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("intents")(list_intents)
    app.command("history")(list_history)
    app.command("doctor")(examine_setup)


def list_intents(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Show this intent with its params.", show_default=False)
    ] = "",
    search: Annotated[str, typer.Option(metavar="TEXT", help="Rank the intents for these words.")] = "",
    draft_spec: Annotated[
        str, typer.Option(metavar="ROLE", help="Print a draft of the argument specification that this role lacks.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """What can be asked for: all intents, one of them in full, or those that fit some words."""
    if sum(map(bool, (name, search, draft_spec))) > 1:
        raise InputError("intents: give one of NAME, --search TEXT and --draft-spec ROLE.")
    app = session_of(context).open()
    if draft_spec:
        return _print_draft(app.catalog.unspecified_dir(draft_spec), draft_spec, as_json)
    if search:
        found = resolve_words(app, search)
        return show_json(found) if as_json else show_lines(resolution_lines(found))
    if not name:
        intents = app.catalog.list()
        for problem in app.catalog.problems():
            say(f"left out: {problem}")
        if others := app.catalog.unspecified():
            shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            say(f"no argument specification: {shown}; 'intendant intents --draft-spec ROLE' drafts one")
        listed = [{"name": intent.name, "title": intent.title} for intent in intents]
        return show_json(listed) if as_json else show_lines(intents_lines(intents))
    intent = app.catalog.get(name)
    if not as_json:
        return show_lines(intent_lines(intent))
    from intendant.views.json import build_intent

    return show_json(build_intent(intent, app.catalog.json_schema(intent)))


def _print_draft(folder: Path, role: str, as_json: bool) -> None:
    from intendant.drafting import draft_spec

    text = draft_spec(role, folder)
    if as_json:
        return show_json([{"role": role, "file": str(folder / "meta" / "argument_specs.yml"), "draft": text}])
    return typer.echo(sanitize(text), nl=False)


def list_history(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="NAME", help="Only what touched this host.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Number of entries.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Plans, approvals and runs, newest first."""
    entries, cursor = session_of(context).open().store.list_history(host=host, limit=limit)
    if not as_json:
        return show_lines(history_lines(entries))
    from intendant.views.json import build_history

    return show_json(build_history(entries, cursor))


def examine_setup(context: typer.Context) -> None:
    """Check that everything an apply needs is there; exits 1 when something is not."""
    from intendant.doctor import examine, finding_lines

    findings = examine(session_of(context).project)
    show_lines(finding_lines(findings))
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(1)
