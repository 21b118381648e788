"""Whatever the text is, there is a verdict, and soon."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.labelled import bash_accepts, read_labels, rules
from intendant.shell.classifying import classify
from intendant.shell.parsing import MAX_LENGTH
from intendant.shell.verdicts import KINDS

COMMANDS = [label.command for label in read_labels()]
SOUP = st.text("abrml -/*?[]{}()<>|&;'\"`$\\#=!~\n\t0$(", max_size=60)
SECONDS = 5.0


def check(text: str) -> None:
    started = time.perf_counter()
    verdict = classify(text, rules())
    assert time.perf_counter() - started < SECONDS
    assert verdict.kind in KINDS
    assert verdict.reason
    if verdict.kind == "read" and "\x00" not in text:
        assert bash_accepts(text), text


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_has_a_verdict(text: str) -> None:
    check(text)


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_bytes_have_a_verdict(data: bytes) -> None:
    check(data.decode(errors="surrogateescape"))
    check(data.decode("latin-1"))


@given(SOUP)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_soup_of_operators_has_a_verdict(text: str) -> None:
    check(text)
    check(f"ls {text}")


@given(st.sampled_from(COMMANDS), st.data())
@settings(max_examples=800, deadline=None, derandomize=True)
def test_a_changed_command_has_a_verdict(command: str, data: st.DataObject) -> None:
    """Cut, doubled, or with something in it, a read must still be correct bash."""
    start = data.draw(st.integers(0, len(command)))
    end = data.draw(st.integers(start, len(command)))
    piece = data.draw(
        st.one_of(
            st.sampled_from(["", ";", "\n", "'", '"', "$(", ")", "`", "|", "&", " -", "#", "<<E\n", "\\", "{", "}"]),
            SOUP,
        )
    )
    check(command[:start] + piece + command[end:])


@pytest.mark.parametrize(
    "text",
    [
        "(" * MAX_LENGTH,
        "$(" * (MAX_LENGTH // 2),
        "`" * MAX_LENGTH,
        "{ " * (MAX_LENGTH // 2),
        "[" * MAX_LENGTH,
        "'" * (MAX_LENGTH - 1),
        '"$(' * (MAX_LENGTH // 3),
        "${" * (MAX_LENGTH // 2),
        "<(" * (MAX_LENGTH // 2),
        "if " * (MAX_LENGTH // 3),
        "sudo " * (MAX_LENGTH // 5),
        "a|" * (MAX_LENGTH // 2),
        "ls;" * (MAX_LENGTH // 3),
        "x=" * (MAX_LENGTH // 2),
        "<<a " * (MAX_LENGTH // 4),
        "\\" * MAX_LENGTH,
        "eval " * (MAX_LENGTH // 5),
        "a{" * (MAX_LENGTH // 2),
        "$((" * (MAX_LENGTH // 3),
        "# " * (MAX_LENGTH // 2),
        "! " * (MAX_LENGTH // 2),
        "for i in " * (MAX_LENGTH // 9),
        "case x in " * (MAX_LENGTH // 10),
        "f() " * (MAX_LENGTH // 4),
        "[[ " * (MAX_LENGTH // 3),
        "awk '" + "/" * (MAX_LENGTH - 6) + "'",
        "sed '" + "s/[/" * (MAX_LENGTH // 5) + "'",
        "awk '" + '"a" ' * (MAX_LENGTH // 5) + "'",
        "awk '" + "/[" * (MAX_LENGTH // 3) + "'",
        "ls " + "*" * (MAX_LENGTH - 3),
        "ls " + "{a,b}" * (MAX_LENGTH // 6),
        "ls -" + "a" * (MAX_LENGTH - 4),
        "cat <<A\n" * (MAX_LENGTH // 8),
        "~" * MAX_LENGTH,
        "ls " + "a " * (MAX_LENGTH // 2 - 2),
    ],
    ids=lambda text: text[:12],
)
def test_long_and_deep_texts_take_no_long_time(text: str) -> None:
    check(text)


def test_a_text_that_is_too_long_is_unknown() -> None:
    verdict = classify("ls " + "a" * MAX_LENGTH, rules())
    assert (verdict.kind, str(MAX_LENGTH) in verdict.reason) == ("unknown", True)


def test_what_is_wrapped_too_often_is_unknown() -> None:
    assert classify("sudo " * 15 + "rm -rf /", rules()).kind == "destructive"
    verdict = classify("sudo " * 500 + "ls", rules())
    assert (verdict.kind, "nested" in verdict.reason) == ("unknown", True)


def test_no_character_ends_the_process() -> None:
    """In a process of its own: where one does, nothing can be caught."""
    script = (
        "import random\n"
        "from intendant.shell.parsing import parse_script\n"
        "chance = random.Random(1)\n"
        "for _ in range(1000):\n"
        "    points = [[32, 127], [0, 0xD7FF], [0xE000, 0x10FFFF]]\n"
        "    text = ''.join(chr(chance.randrange(*chance.choice(points))) for _ in range(chance.randrange(60)))\n"
        "    parse_script(f'useradd {text}')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
