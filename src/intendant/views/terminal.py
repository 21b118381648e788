"""The human views in colour. ``rich.text.Text`` is never parsed for markup, so no text of a host can style anything."""

from collections.abc import Iterable

from rich.text import Text

from intendant.views.lines import Line, Tone

STYLES: dict[Tone, str] = {
    "plain": "",
    "heading": "bold",
    "create": "green",
    "update": "yellow",
    "delete": "bold red",
    "run": "magenta",
    "added": "green",
    "removed": "red",
    "hunk": "cyan",
    "warn": "yellow",
    "error": "bold red",
    "dim": "dim",
}


def style_lines(lines: Iterable[Line]) -> Text:
    """The lines as one styled text."""
    return Text("\n").join(Text(line.text, style=STYLES[line.tone]) for line in lines)
