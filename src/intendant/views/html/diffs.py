"""One change as rows of a diff, for both ways of showing it: side by side and unified. Pure."""

import difflib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from intendant.cleaning import split_hidden
from intendant.plans import Change
from intendant.views.html.highlighting import Token, highlight_lines

_CONTEXT = 3
#: characters of a line that are shown among others.
LONGEST_LINE = 2_000
_LINE_END = 300
#: lines are compared word by word up to this length, in blocks of up to so many lines.
_MARKED_CHARS = 400
_MARKED_LINES = 200
_ALIKE = 0.4
#: so many lines that are new on both sides are not matched with each other, which would take minutes.
_MOST_COMPARED = 1_500
_WORDS = re.compile(r"\w+|\s+|.", re.S)


class Piece(NamedTuple):
    """A run of characters, safe to show: ``css`` colours it, ``marked`` differs from the other side."""

    text: str
    css: str = ""
    marked: bool = False
    #: stands for a character that could not be seen.
    spelled: bool = False


class Cell(NamedTuple):
    """One line on one side; numbers count from 1."""

    number: int
    pieces: tuple[Piece, ...]


class Row(NamedTuple):
    """Lines that stand beside each other. ``gap`` rows count unchanged lines that are not shown."""

    kind: Literal["same", "changed", "gap"]
    old: Cell | None = None
    new: Cell | None = None
    skipped: int = 0


class _Side(NamedTuple):
    lines: list[str]
    tokens: list[list[Token]] | None
    longest: int

    def cell(self, number: int, marks: Sequence[tuple[int, int]] = ()) -> Cell:
        line = self.lines[number]
        tokens = [(line, "")] if self.tokens is None or number >= len(self.tokens) else self.tokens[number]
        if len(line) > self.longest:
            return Cell(number + 1, tuple(_cut_line(line, self.longest)))
        return Cell(number + 1, tuple(_make_pieces(tokens, marks)))


def diff_rows(change: Change, longest: int = LONGEST_LINE) -> list[Row]:
    """All rows of a change with three lines of context; empty when nothing can be shown line by line.

    Args:
        longest: characters of a line that are shown, its beginning and its end.
    """
    if change.before is None and change.after is None:
        return []
    sides = [_read_side(text or "", change, longest) for text in (change.before, change.after)]
    return list(_cut_context(list(_align(*sides))))


def count_rows(rows: Sequence[Row]) -> tuple[int, int]:
    """How many lines are added and removed."""
    changed = [row for row in rows if row.kind == "changed"]
    return sum(row.new is not None for row in changed), sum(row.old is not None for row in changed)


def _read_side(text: str, change: Change, longest: int) -> _Side:
    lines = text.split("\n")
    tokens = highlight_lines(text, change.target, change.module) if text else None
    if lines[-1]:
        lines.append("\\ No newline at end of file")
    else:
        lines.pop()
    return _Side(lines, tokens, longest)


def _align(old: _Side, new: _Side) -> Iterator[Row]:
    for tag, old_start, old_end, new_start, new_end in _opcodes(old.lines, new.lines):
        if tag == "equal":
            for shift in range(old_end - old_start):
                yield Row("same", old.cell(old_start + shift), new.cell(new_start + shift))
            continue
        marking = max(old_end - old_start, new_end - new_start) <= _MARKED_LINES
        for shift in range(max(old_end - old_start, new_end - new_start)):
            left, right = old_start + shift, new_start + shift
            if left < old_end and right < new_end and old.lines[left] == new.lines[right]:
                yield Row("same", old.cell(left), new.cell(right))  # too many lines were not matched
            elif left < old_end and right < new_end:
                marks = _find_marks(old.lines[left], new.lines[right]) if marking else ([], [])
                yield Row("changed", old.cell(left, marks[0]), new.cell(right, marks[1]))
            elif left < old_end:
                yield Row("changed", old.cell(left), None)
            else:
                yield Row("changed", None, new.cell(right))


def _opcodes(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """As ``SequenceMatcher.get_opcodes``; equal beginnings and ends first, since they cost nothing."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    if head:
        yield "equal", 0, head, 0, head
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if min(len(left), len(right)) > _MOST_COMPARED:
        yield "replace", head, head + len(left), head, head + len(right)
    elif left or right:
        for tag, *ends in difflib.SequenceMatcher(None, left, right).get_opcodes():
            yield tag, *(end + head for end in ends)  # type: ignore[misc]  # four of them
    if tail:
        yield "equal", len(old) - tail, len(old), len(new) - tail, len(new)


def _find_marks(old: str, new: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where two lines differ, word by word, as positions in each; none when they have little in common."""
    if max(len(old), len(new)) > _MARKED_CHARS:
        return [], []
    words: list[list[str]] = [_WORDS.findall(line) for line in (old, new)]
    matcher = difflib.SequenceMatcher(None, words[0], words[1], autojunk=False)
    if matcher.ratio() < _ALIKE:
        return [], []
    starts = [[0], [0]]
    for side, found in zip(starts, words, strict=True):
        for word in found:
            side.append(side[-1] + len(word))
    differing = [ends for tag, *ends in matcher.get_opcodes() if tag != "equal"]
    return (
        [(starts[0][a], starts[0][b]) for a, b, _, _ in differing if b > a],
        [(starts[1][c], starts[1][d]) for _, _, c, d in differing if d > c],
    )


def _make_pieces(tokens: Sequence[Token], marks: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    at = 0
    for text, css in tokens:
        edges = sorted({0, len(text), *(edge - at for mark in marks for edge in mark if 0 < edge - at < len(text))})
        for start, end in pairwise(edges):
            marked = any(first <= at + start < last for first, last in marks)
            for part, spelled in split_hidden(text[start:end]):
                yield Piece(part, css, marked, spelled)
        at += len(text)


def _cut_line(line: str, longest: int) -> Iterator[Piece]:
    left_out = len(line) - longest
    for part, spelled in split_hidden(line[: longest - _LINE_END]):
        yield Piece(part, spelled=spelled)
    yield Piece(f"[… {left_out} characters left out …]", spelled=True)
    for part, spelled in split_hidden(line[-_LINE_END:]):
        yield Piece(part, spelled=spelled)


def _cut_context(rows: list[Row]) -> Iterator[Row]:
    """Rows near a change; each run of others as one that counts them."""
    near = [False] * len(rows)
    for number, row in enumerate(rows):
        if row.kind == "changed":
            for other in range(max(0, number - _CONTEXT), min(len(rows), number + _CONTEXT + 1)):
                near[other] = True
    skipped = 0
    for row, shown in zip(rows, near, strict=True):
        if shown and skipped:
            yield Row("gap", skipped=skipped)
        skipped = 0 if shown else skipped + 1
        if shown:
            yield row
    if skipped and len(rows) > skipped:
        yield Row("gap", skipped=skipped)
