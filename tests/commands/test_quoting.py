"""Words are unquoted as bash does it: bash itself is asked."""

import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from commands.labelled import bash_accepts
from intendant.shell.parsing import parse_script
from intendant.shell.syntax import Part

#: nothing in this alphabet can run a program, open a file or expand to anything but itself
HARMLESS = "ab1 \\\\''\"\"\n\t#=-,.:%@+^\u00e9"


def words_of_bash(text: str) -> list[str]:
    script = f"printf '%s\\0' {text}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, timeout=20, check=True)
    return done.stdout.decode().split("\0")[:-1]


@given(st.lists(st.text(HARMLESS, max_size=4), max_size=8).map("".join))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_words_are_cut_and_unquoted_as_by_bash(text: str) -> None:
    script = parse_script(f"printf x {text}")
    assume(not script.problems and not script.doubt and len(script.commands) == 1)
    assume(script.commands[0].words[2:])
    assert [word.text for word in script.commands[0].words[2:]] == words_of_bash(text)


@given(
    st.lists(
        st.sampled_from([*"abx0'\"?eEnrtfv", "\\\\", "\\'", "\\n", "\\x41", "\\101", "\\t", "\\u0041", "\\e", '\\"']),
        max_size=6,
    ).map("".join)
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_escapes_of_dollar_quotes_are_those_of_bash(inner: str) -> None:
    text = f"$'{inner}'"
    script = parse_script(f"printf x {text}")
    assume(not script.problems and not script.doubt and len(script.commands) == 1)
    assert [word.text for word in script.commands[0].words[2:]] == words_of_bash(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("$x", Part.VARIABLE),
        ('"$x"', Part.VARIABLE),
        ("${x}", Part.VARIABLE),
        ("$(ls)", Part.SUBSTITUTION),
        ("`ls`", Part.SUBSTITUTION),
        ("*", Part.GLOB),
        ("a?", Part.GLOB),
        ("[ab]", Part.GLOB),
        ("{a,b}", Part.BRACES),
        ("{1..3}", Part.BRACES),
        ("a{b,}", Part.BRACES),
        ("<(ls)", Part.PROCESS),
        ("~root", Part.VARIABLE),
        ("~+", Part.VARIABLE),
    ],
)
def test_what_is_only_known_later_is_marked(text: str, part: Part) -> None:
    (word,) = parse_script(f"ls {text}").commands[0].words[1:]
    assert part in word.dynamic


@pytest.mark.parametrize(
    "text", ["'$x'", r"\$x", "'*'", r"\*", '"{a,b}"', "{}", "{a}", "'~root'", "a~", "[", "'`ls`'", '"*"']
)
def test_what_is_quoted_stays_as_it_is(text: str) -> None:
    (word,) = parse_script(f"ls {text}").commands[0].words[1:]
    assert word.literal


def test_a_line_break_after_two_pipes_begins_a_command() -> None:
    """tree-sitter-bash takes the second line for operands of the last command of the first."""
    script = parse_script("a | grep x | head -30\nrm x && cd y")
    assert ["rm", "x"] in [[word.text for word in command.words] for command in script.commands]
    assert script.doubt
    assert bash_accepts("a | grep x | head -30\nrm x && cd y")
