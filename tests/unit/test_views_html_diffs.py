"""Rows of a diff: nothing is lost, nothing is invented, and what differs within a line is marked."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intendant.views.html.diffs import Cell, Row, count_rows, diff_rows
from intendant.views.html.highlighting import highlight_lines
from unit.samples import make_change

LINES = st.lists(st.sampled_from(["", "a", "b = 1", "b = 2", "\tc", "é\x00", "x" * 30]), max_size=25)


def text_of(cell: Cell | None) -> str | None:
    return None if cell is None else "".join(piece.text for piece in cell.pieces)


def rows_of(before: str, after: str, target: str = "/etc/x", **options: int) -> list[Row]:
    return diff_rows(make_change("update", target, before=before, after=after), **options)


@given(LINES, LINES, st.booleans(), st.sampled_from(["/etc/x", "/etc/x.conf", "/etc/x.yml", "/x.sh"]))
def test_the_rows_hold_both_texts(before: list[str], after: list[str], ended: bool, target: str) -> None:
    sides = ["\n".join(lines) + ("\n" if ended and lines else "") for lines in (before, after)]
    rows = rows_of(sides[0], sides[1], target)
    for side, text in zip(("old", "new"), sides, strict=True):
        lines = text.split("\n")
        if lines[-1]:
            lines.append("\\ No newline at end of file")
        else:
            lines.pop()
        spelled = [line.replace("\x00", "\\x00") for line in lines]
        shown = 0
        for row in rows:
            if row.kind == "gap":
                shown += row.skipped
            elif (cell := getattr(row, side)) is not None:
                shown += 1
                assert (cell.number, text_of(cell)) == (shown, spelled[shown - 1])
        assert shown == len(lines) or not rows
    assert bool(rows) == (sides[0] != sides[1])
    assert all(text_of(row.old) == text_of(row.new) for row in rows if row.kind == "same")


def test_the_words_that_differ_are_marked() -> None:
    [row] = rows_of("listen 80 default;\n", "listen 8080 default;\n", "/etc/nginx/nginx.conf")
    for cell, word in ((row.old, "80"), (row.new, "8080")):
        assert cell is not None
        assert "".join(piece.text for piece in cell.pieces if piece.marked) == word


def test_lines_with_nothing_in_common_are_not_marked() -> None:
    [row] = rows_of("alpha beta\n", "1234\n")
    assert row.old
    assert row.new
    assert not any(piece.marked for cell in (row.old, row.new) for piece in cell.pieces)


def test_unchanged_lines_far_from_a_change_are_counted() -> None:
    lines = [f"{number}\n" for number in range(100)]
    rows = rows_of("".join(lines), "".join([*lines[:50], "new\n", *lines[50:]]))
    assert [row.skipped for row in rows if row.kind == "gap"] == [47, 47]
    assert count_rows(rows) == (1, 0)


def test_a_missing_last_newline_is_a_difference() -> None:
    rows = rows_of("a\n", "a")
    assert [text_of(row.new) for row in rows] == ["a", "\\ No newline at end of file"]


def test_a_very_long_line_is_cut_in_the_middle_and_whole_when_asked_for() -> None:
    long = "".join(f"{number} " for number in range(5_000))
    [row] = rows_of("", f"{long}\n")
    shown = text_of(row.new)
    assert shown is not None
    assert shown.startswith("0 1 2")
    assert shown.endswith("4999 ")
    assert f"[… {len(long) - 2_000} characters left out …]" in shown
    [row] = rows_of("", f"{long}\n", longest=10**9)
    assert text_of(row.new) == long


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("".join(f"line {n}\n" for n in range(10_000)), "".join(f"line {n}{'x' * (n % 2)}\n" for n in range(10_000))),
        ("a\nb\n" * 5_000, "b\na\nc\n" * 3_000),
        ("word " * 20_000, "word " * 20_000 + "x"),
        ("", "x" * 2_000_000),
    ],
)
def test_no_pair_of_texts_takes_long(before: str, after: str) -> None:
    started = time.process_time()
    assert rows_of(before, after)
    assert time.process_time() - started < 6


HOSTILE = [
    "\\",
    "${",
    '"',
    "$(",
    "[",
    " ",
    "a: ",
    "<<",
    "{%",
    "'\\",
    "=\\\n",
    "\\\n}}(",
    "='''",
    "\r\n\x0b",
    "- ",
    "{{",
]
TARGETS = ["nginx/a", "systemd/a", *(f"a.{x}" for x in "yml sh ini toml json".split())]


@pytest.mark.parametrize("target", TARGETS)
def test_hostile_text_keeps_no_lexer_busy(target: str) -> None:
    """Some of Pygments' lexers need minutes for such lines: they are not among ours."""
    for part in HOSTILE:
        line = (part * 500)[:499]
        text = "\n".join([line] * 20)
        started = time.process_time()
        found = highlight_lines(text[:30_000], f"/etc/{target}")
        assert time.process_time() - started < 3, part
        assert found is not None, part


def test_only_known_formats_are_coloured() -> None:
    assert highlight_lines("a = 1\n", "/etc/x.conf") is not None
    assert highlight_lines("a = 1\n", "/etc/unknown") is None
    assert highlight_lines("#!/bin/sh\nif true; then\n", "/usr/local/bin/x") is not None
    assert highlight_lines("x\n" * 20_001, "/etc/x.conf") is None
