"""`intendant exec --classify`: what it prints, and that it runs nothing."""

import json
from pathlib import Path

import pytest

from intendant.cli import main


@pytest.mark.parametrize(
    ("command", "kind", "named"),
    [
        ("ls -la /etc", "read", "ls"),
        ("rm x", "change", "'rm'"),
        ("ls; rm -rf /", "destructive", "rm"),
        ("frobnicate", "unknown", "frobnicate"),
        ("", "unknown", "no command"),
        ("--help", "unknown", "--help"),
        ("ls \u202e\x1b[31m", "unknown", "U+202E"),
    ],
)
def test_the_class_and_the_reason_are_printed_as_json(
    command: str, kind: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "--classify", "--", command]) == 0
    shown = capsys.readouterr()
    verdict = json.loads(shown.out)
    assert list(verdict) == ["class", "reason"]
    assert verdict["class"] == kind
    assert named in verdict["reason"]
    assert shown.out.isascii()
    assert shown.err == ""


@pytest.mark.parametrize(
    ("words", "equivalent"),
    [
        (["apt-get install -y nginx"], "packages packages_names=[nginx] packages_state=latest"),
        (["reboot"], "reboot reboot_when=now"),
        (["mkdir /srv/app"], None),
        (["mkdir /srv/app", "--sudo"], "file file_path=/srv/app file_state=directory"),
        (["apt-get install -y $NAME"], None),
        (["ls"], None),
    ],
)
def test_what_does_the_same_is_printed_where_it_is_known(
    words: list[str], equivalent: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "--classify", *words[1:], "--", words[0]]) == 0
    assert json.loads(capsys.readouterr().out).get("equivalent") == equivalent


def test_nothing_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--classify", "--", f"touch {tmp_path}/x; echo $(touch {tmp_path}/y)"]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["exec", "--classify", "--", "ls", "-la"], "COMMAND: give the command line as one argument, in quotes"),
        (["exec", "--classify"], "COMMAND"),
        (["exec", "--", "ls"], "give HOSTS and the command"),
        (["exec", "--clasify", "--", "ls"], "--clasify"),
    ],
)
def test_a_wrong_call_ends_with_1_and_one_message(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1
