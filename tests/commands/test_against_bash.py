"""What bash runs is among what was read: bash itself is asked, in a place where it finds no program to run."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from intendant.shell.parsing import parse_script
from intendant.shell.syntax import Command

PIECES = [
    "ls",
    "id",
    "cat",
    "ls x",
    "id y",
    " ",
    "  ",
    "\n",
    ";",
    "&&",
    "||",
    "|",
    '"',
    "'",
    "\\",
    "`",
    "$(",
    ")",
    "(",
    "{ ",
    "; }",
    "#",
    " #",
    "$x",
    "${x}",
    "<(",
    "<<<",
    "<",
    ">",
    "2>",
    ">&2",
    "&>",
    "! ",
    "$",
    "*",
    "[",
    "]",
    "~",
    "=",
    "x=1 ",
    "if ",
    "; then ",
    "; fi",
    "for i in ",
    "; do ",
    "; done",
    "\t",
    "-",
    "\\\n",
    "$'",
    "{",
    "}",
    ",",
    '"$(',
    ')"',
    '""',
    "''",
    "[[ ",
    " ]]",
    "[ ",
    " ]",
    "|&",
    "1",
    "2",
    "${x:-y}",
    "time ",
    "a\\ b",
    '"a b"',
    "'a;b'",
    "\\x41",
    ".",
    "..",
    "{a,b}",
]
#: with no PATH every program ends here: it writes down the number of its words and the words
NOTE = 'command_not_found_handle() { printf "%s\\0" "$#" "$@" >> "$LOG"; }\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bash")
    (folder / "note").write_text(NOTE)
    (folder / "work").mkdir()
    return folder


def run_in_bash(text: str, place: Path) -> Iterator[tuple[str, ...]]:
    """The words of each program that bash would have started."""
    log = place / "log"
    log.write_bytes(b"")
    environment = {"PATH": "/nonexistent", "BASH_ENV": str(place / "note"), "LOG": str(log), "HOME": "/home"}
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run(
        [bash, "--norc", "-c", text],
        cwd=place / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
    )
    found = log.read_bytes().decode(errors="replace").split("\0")[:-1]
    while found:
        count = int(found[0])
        yield tuple(found[1 : count + 1])
        del found[: count + 1]


def may_be(command: Command, words: tuple[str, ...]) -> bool:
    """Whether the command can have become these words."""
    if not all(word.literal for word in command.words):
        return not command.words[0].literal or command.words[0].text in ("time", words[0])
    texts = [f"/home{word.text[1:]}" if word.raw.startswith("~") else word.text for word in command.words]
    return list(words) in (texts, texts[1:], texts[2:]) if texts[0] == "time" else list(words) == texts


def test_what_bash_starts_is_written_down(place: Path) -> None:
    found = list(run_in_bash("ls x 'a b' | cat $(id); if ! cc; then dd; fi", place))
    assert sorted(found) == [("cat",), ("cc",), ("id",), ("ls", "x", "a b")]


@given(st.lists(st.sampled_from(PIECES), min_size=2, max_size=12).map("".join))
@settings(
    max_examples=600,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_program_that_bash_starts_was_seen(place: Path, text: str) -> None:
    # No functions, so that nothing can start itself again and again.
    assume("()" not in "".join(text.split()))
    script = parse_script(text)
    assume(script.commands and not script.problems and not script.doubt)
    for words in run_in_bash(text, place):
        assert any(command.words and may_be(command, words) for command in script.commands), (text, words)
