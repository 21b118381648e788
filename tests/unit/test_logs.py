"""The command line that shows the end of a log, and what is made of its answer."""

import string
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intendant.commands import HostOutput
from intendant.errors import InputError
from intendant.logs import MAX_LINES, LogQuery, build_log_command, group_logs
from intendant.shell.classifying import classify
from intendant.shell.rules import Rules, load_rules

UNIT_CHARS = string.ascii_letters + string.digits + ":_.\\@-"
_TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=30)


@cache
def rules() -> Rules:
    return load_rules()


def check_read(command: str) -> None:
    verdict = classify(command, rules())
    assert verdict.kind == "read", verdict.reason
    # What shells make of letters beyond ASCII is not taken for granted.
    assert not verdict.needs_bash or not command.isascii()


@given(
    unit=st.text(UNIT_CHARS, min_size=1, max_size=30),
    since=st.sampled_from(["", "1h", "10 min ago", "today", "yesterday", "now", "2026-11-27T10:00:00+02:00"]),
    grep=_TEXTS,
    lines=st.integers(1, MAX_LINES),
)
@settings(deadline=None, max_examples=150)
def test_every_line_for_a_unit_is_a_read_for_any_shell(unit: str, since: str, grep: str, lines: int) -> None:
    check_read(build_log_command(LogQuery(unit=unit, since=since, grep=grep, lines=lines)))


@given(path=_TEXTS.map(lambda text: f"/var/log/{text}".replace("..", "")), grep=_TEXTS)
@settings(deadline=None, max_examples=150)
def test_every_line_for_a_file_is_a_read_for_any_shell(path: str, grep: str) -> None:
    check_read(build_log_command(LogQuery(path=path, grep=grep)))


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("1h", "3600 seconds ago"),
        ("-90s", "90 seconds ago"),
        ("1h 30min ago", "5400 seconds ago"),
        ("2 days", "172800 seconds ago"),
        ("Today", "today UTC"),
        ("now", "now"),
        ("2026-11-27", "2026-11-27 00:00:00 UTC"),
        ("2026-11-27 10:30", "2026-11-27 10:30:00 UTC"),
        ("2026-11-27T10:30:05Z", "2026-11-27 10:30:05 UTC"),
        ("2026-11-27T00:30:00+02:00", "2026-11-26 22:30:00 UTC"),
    ],
)
def test_since_is_read_as_people_say_it_and_means_utc(since: str, said: str) -> None:
    assert f"--since='{said}'" in build_log_command(LogQuery(unit="ssh", since=since)).replace("=now", "='now'")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "give one of them"),
        ({"unit": "a", "path": "/b"}, "give one of them"),
        ({"unit": "a b"}, "no name of a unit"),
        ({"unit": "ssh;id"}, "no name of a unit"),
        ({"unit": "$(id)"}, "no name of a unit"),
        ({"unit": "a", "lines": 0}, "1 to 1000"),
        ({"unit": "a", "lines": 1001}, "1 to 1000"),
        ({"unit": "a", "since": "when it broke"}, "Allowed"),
        ({"unit": "a", "since": "0001-01-01T00:00+05:00"}, "Allowed"),
        ({"unit": "a", "since": "1h'; id"}, "Allowed"),
        ({"unit": "a", "grep": "a\nb"}, "one line"),
        ({"unit": "a", "grep": "a" * 501}, "500"),
        ({"path": "var/log/syslog"}, "absolute"),
        ({"path": "/var/log/../../dev/zero"}, "absolute"),
        ({"path": "/proc/kmsg"}, "/proc"),
        ({"path": "//./dev/zero"}, "/dev"),
        ({"path": "/var/log/a\x00b"}, "control"),
        ({"path": "/var/log/syslog", "since": "1h"}, "no time that is sure"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(query: dict[str, str | int], says: str) -> None:
    with pytest.raises(InputError, match=says):
        build_log_command(LogQuery.model_validate(query))


UNIT, FILE = LogQuery(unit="ssh"), LogQuery(path="/var/log/x")
HINT = (
    "Hint: You are currently not seeing messages from other users and the system.\n"
    "      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n"
)


def test_hosts_with_the_same_lines_are_together() -> None:
    outputs = {name: HostOutput(exit_code=0, stdout="a\n", duration=float(len(name))) for name in ("web1", "web22")}
    groups = group_logs(UNIT, {**outputs, "db": HostOutput(error="no way")})
    assert [(group.hosts, group.text, group.error) for group in groups] == [
        (("web1", "web22"), "a\n", ""),
        (("db",), "", "no way"),
    ]


def test_who_may_not_see_the_journal_is_told_so_with_lines_and_without() -> None:
    [some] = group_logs(UNIT, {"web1": HostOutput(exit_code=0, stdout="own\n", stderr=HINT)})
    assert some.text == "own\n"
    assert "sudo=true" in some.note
    said = f"{HINT}No journal files were opened due to insufficient permissions.\n"
    [none] = group_logs(UNIT, {"web1": HostOutput(exit_code=1, stderr=said)})
    assert none.text == ""
    assert "systemd-journal" in none.error


def test_no_lines_are_no_error() -> None:
    [group] = group_logs(UNIT, {"web1": HostOutput(exit_code=0, stdout="-- No entries --\n")})
    assert (group.text, group.note, group.error) == ("", "", "")


@pytest.mark.parametrize(
    ("query", "output", "says"),
    [
        (UNIT, HostOutput(exit_code=127, stderr="sh: 1: journalctl: not found"), "no journalctl"),
        (UNIT, HostOutput(exit_code=0, stderr="sh: 1: journalctl: not found"), "no journalctl"),
        (UNIT, HostOutput(exit_code=0, stderr="grep: Unmatched ( or \\("), "Unmatched"),
        (UNIT, HostOutput(ended="timeout"), "ask for less"),
        (FILE, HostOutput(exit_code=1, stderr="tail: cannot open 'x': Permission denied"), "sudo=true"),
        (FILE, HostOutput(exit_code=3, stderr="prw-r--r-- 1 root root 0 Nov 27 10:00 /var/log/x"), "no regular file"),
        (FILE, HostOutput(exit_code=3, stderr="ls: cannot access 'x': No such file or directory"), "No such file"),
    ],
)
def test_why_there_is_nothing_is_said(query: LogQuery, output: HostOutput, says: str) -> None:
    [group] = group_logs(query, {"web1": output})
    assert says in group.error
    assert not group.text


def test_of_a_long_log_the_newest_lines_are_shown_and_the_rest_is_counted() -> None:
    text = "".join(f"{number} {'x' * 100}\n" for number in range(1000))
    [group] = group_logs(FILE, {"web1": HostOutput(exit_code=0, stdout=text)})
    assert group.text.endswith(text[-102:])
    assert text.endswith(group.text)
    assert group.truncated == len(text) - len(group.text)
    assert len(group.text) <= 16_000
    many = {f"web{number}": HostOutput(exit_code=0, stdout=f"{number} {text}") for number in range(50)}
    assert sum(len(group.text) for group in group_logs(FILE, many)) <= 50_000
