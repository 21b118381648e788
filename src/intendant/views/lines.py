"""The lines that the human views are made of: text with a tone, cleaned of what could deceive a reader. Pure."""

import json
import unicodedata
from typing import Literal, NamedTuple

from intendant.plans import Action, Change

Tone = Literal[
    "plain", "heading", "create", "update", "delete", "run", "added", "removed", "hunk", "warn", "error", "dim"
]
SYMBOLS: dict[Action, str] = {"create": "+", "update": "~", "delete": "-", "run": "!"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Line(NamedTuple):
    """One line of output, safe to print, and what it stands for."""

    text: str
    tone: Tone = "plain"


def sanitize(text: str) -> str:
    """Text from elsewhere, with newlines and tabs kept and everything that steers a terminal or hides made visible.

    Control characters (so every escape sequence), bidi and other invisible format characters and lone surrogates become
    ``\\x1b`` or ``\\u202e``: seen, not obeyed, because somebody decides by what is shown.
    """
    return "".join(char if char in "\n\t" or not _is_hidden(char) else _spell(char) for char in text)


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


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN_CATEGORIES


def _spell(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _tone_of(line: str) -> Tone:
    if line.startswith("@@"):
        return "hunk"
    if line.startswith(("---", "+++")):
        return "dim"
    return "added" if line.startswith("+") else "removed" if line.startswith("-") else "plain"
