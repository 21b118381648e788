"""Output of hosts, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intendant.cleaning import clean_output, cut_middle


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (b"plain\ttext\n", "plain\ttext\n"),
        ("naïve – ☃\n".encode(), "naïve – ☃\n"),
        (b"\x1b[1;31mred\x1b[0m \x1b[2Kgone", "red gone"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1bPq#0\x1b\\after", "after"),
        (b"N\x08NA\x08AM\x08ME _\x08x", "NAME x"),
        (b"10%\r20%\r\nend\r\n", "10%\n20%\nend\n"),
        (b"bell\x07 nul\x00", "bell\\x07 nul\\x00"),
        (b"caf\xe9 \xff", "caf\\xe9 \\xff"),
        ("user\u202egpj.exe\u200b".encode(), "user\\u202egpj.exe\\u200b"),
        ("\u009b31mred".encode(), "red"),
        (b"\x1b", "\\x1b"),
    ],
)
def test_output_is_shown_without_what_steers_a_terminal(output: bytes, shown: str) -> None:
    assert clean_output(output) == shown


@given(st.binary(max_size=300))
def test_nothing_but_newlines_and_tabs_is_left_of_control_characters(output: bytes) -> None:
    shown = clean_output(output)
    left = {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert left <= {"\n", "\t"}


def test_a_short_text_is_not_cut() -> None:
    assert cut_middle("short", 10) == ("short", 0)


def test_of_a_long_text_whole_lines_of_both_ends_are_left() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    shown, missing = cut_middle(text, 200, "ask for more")
    before, gap, after = shown.partition("\n[…")
    assert before.startswith("line 0\nline 1\n")
    assert before.endswith("\n")
    assert after.endswith("line 999\n")
    assert f"[… {missing} bytes left out: ask for more …]" in gap + after
    assert missing > len(text) - 200 - 40
    assert after.partition("\n")[2].startswith("line ")


@given(st.text(max_size=400), st.integers(min_value=10, max_value=200))
def test_what_is_shown_and_what_is_missing_are_the_whole(text: str, limit: int) -> None:
    shown, missing = cut_middle(text, limit)
    if missing:
        kept = len(shown.encode("utf-8", "backslashreplace"))
        assert kept <= limit + 60
    else:
        assert shown == text
