"""The lines that the human views are made of: text with a tone, cleaned of what could deceive a reader. Pure."""

import json
from typing import Literal, NamedTuple

from intendant.cleaning import sanitize
from intendant.plans import Action, Change

Tone = Literal[
    "plain", "heading", "create", "update", "delete", "run", "added", "removed", "hunk", "warn", "error", "dim"
]
SYMBOLS: dict[Action, str] = {"create": "+", "update": "~", "delete": "-", "run": "!"}


class Line(NamedTuple):
    """One line of output, safe to print, and what it stands for."""

    text: str
    tone: Tone = "plain"


def sanitize_line(text: str) -> str:
    """As ``sanitize``, for text that must stay on its line: newlines and tabs are spelled too."""
    return sanitize(text).replace("\n", "\\n").replace("\t", "\\t")


def plural(number: int, noun: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def join_names(names: tuple[str, ...], most: int | None = None) -> str:
    """Names in their order; those beyond ``most`` are counted: ``web1, web2 and 48 more``."""
    shown = ", ".join(sanitize_line(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if most is not None and len(names) > most else shown


def format_value(value: object) -> str:
    """A param's value as JSON, so that the string "3.12" and the number 3.12 look different."""
    return sanitize_line(json.dumps(value, ensure_ascii=False, default=str))


def describe_change(change: Change) -> str:
    """One line that names a change: what happens to which target, by which task."""
    source = ": ".join(sanitize_line(part) for part in (change.role, change.task) if part)
    target = sanitize_line(change.target) or sanitize_line(change.module)
    return f"{SYMBOLS[change.action]} {change.action} {target}  (step {change.step}, {source})"


def diff_lines(change: Change, indent: str = "      ") -> list[Line]:
    """The unified diff of a change, indented so that none of its lines can pass for one of ours."""
    diff = change.diff
    if not diff:
        return []
    return [Line(indent + sanitize(line).replace("\n", "\\n"), _tone_of(line)) for line in diff.split("\n")]


def _tone_of(line: str) -> Tone:
    if line.startswith("@@"):
        return "hunk"
    if line.startswith(("---", "+++")):
        return "dim"
    return "added" if line.startswith("+") else "removed" if line.startswith("-") else "plain"
