"""The command line's reference, made from its own --help: `python -m intendant.cli.reference > docs/cli.md`."""

from typing import Any

import typer

from intendant.cli.entry import app

_WIDTH = 100
_HEAD = """# Command line

Made from `--help` by `python -m intendant.cli.reference`; a test fails when it is stale.
"""


def render() -> str:
    """docs/cli.md: the help of the program and of every command, laid out for 100 columns."""
    group = typer.main.get_group(app)
    context = group.make_context("intendant", [], resilient_parsing=True, terminal_width=_WIDTH)
    parts = [_HEAD, _section("intendant", group.get_help(context))]
    parts += _describe(group, context, "intendant")
    return "\n".join(parts)


def _describe(group: Any, context: Any, title: str) -> list[str]:
    """A section for each command of the group, and for those within it."""
    parts = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        parts.append(_section(f"{title} {name}", command.get_help(inner)))
        if hasattr(command, "list_commands"):
            parts += _describe(command, inner, f"{title} {name}")
    return parts


def _section(title: str, text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return f"## `{title}`\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    typer.echo(render(), nl=False)
