"""What hosts answered, grouped, cut and kept."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intendant.commanding import check_command
from intendant.commands import CommandResult, HostOutput, cut_groups, group_outputs, read_stream
from intendant.errors import InputError, NotFoundError
from intendant.outputs import Outputs
from intendant.remote import KEEP_BYTES, Stream
from intendant.views.commands import build_command, build_page, command_lines


def test_hosts_with_the_same_answer_are_one_group_however_long_it_took() -> None:
    same = {"web1": HostOutput(exit_code=0, stdout="x", duration=0.1), "web3": HostOutput(exit_code=0, stdout="x")}
    groups = group_outputs({"web1": same["web1"], "web2": HostOutput(exit_code=1, stderr="x"), "web3": same["web3"]})
    assert [group.hosts for group in groups] == [("web1", "web3"), ("web2",)]
    assert groups[0].output.duration == 0.1


def test_what_fits_is_shown_whole() -> None:
    [group] = cut_groups(group_outputs({"web1": HostOutput(exit_code=0, stdout="x" * 20_000)}))
    assert group.output.stdout == "x" * 20_000
    assert group.truncated == {}


def test_of_a_long_output_head_and_tail_are_shown_and_the_rest_is_counted() -> None:
    text = "".join(f"{number}\n" for number in range(20_000))
    [group] = cut_groups(group_outputs({"web1": HostOutput(exit_code=0, stdout=text, stderr="short")}))
    shown = group.output.stdout
    assert len(shown) < 20_200
    assert shown.startswith("0\n1\n")
    assert shown.endswith("\n19999\n")
    assert f"[… {group.truncated['stdout']} bytes left out" in shown
    assert "stderr" not in group.truncated


def test_the_outputs_of_many_hosts_together_are_bounded() -> None:
    outputs = {f"web{number}": HostOutput(exit_code=0, stdout=f"{number} " * 50_000) for number in range(50)}
    groups = cut_groups(group_outputs(outputs))
    assert sum(len(group.output.stdout) for group in groups) < 50_000
    assert all(group.truncated for group in groups)


def test_a_secret_that_colours_break_up_is_masked() -> None:
    assert "hunter2" not in read_stream(Stream(b"pass\x1b[1mword=hunter2hunter2\n"))


def test_at_a_gap_half_a_line_is_left_out() -> None:
    head = b"a\n" * (KEEP_BYTES // 2 - 2) + b"half"
    tail = b"half" + b"\nb" * (KEEP_BYTES // 2 - 2)
    shown = read_stream(Stream(head + tail, missing=77))
    assert "half" not in shown
    assert "[… 77 bytes left out …]" in shown


@pytest.mark.parametrize(
    ("command", "timeout", "says"),
    [
        ("", 30, "empty"),
        (" \n", 30, "empty"),
        ("x" * 10_001, 30, "10000"),
        ("a\x00b", 30, "NUL"),
        ("a\ud800b", 30, "surrogate"),
        ("id", 0, "1 to 600"),
        ("id", 601, "1 to 600"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_is_allowed(command: str, timeout: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_command(command, timeout)


def test_pages_of_an_output_are_the_whole_and_split_no_character() -> None:
    text = "é" * 30_000 + "x"
    first = build_page("web1", "stdout", text, 0)
    second = build_page("web1", "stdout", text, int(first.next_cursor))
    third = build_page("web1", "stdout", text, int(second.next_cursor))
    last = build_page("web1", "stdout", text, int(third.next_cursor))
    assert first.text + second.text + third.text + last.text == text
    assert last.next_cursor == ""
    with pytest.raises(InputError, match="behind the end"):
        build_page("web1", "stdout", "x", 5)


def test_outputs_are_kept_for_a_day(tmp_path: Path) -> None:
    outputs, now = Outputs(tmp_path), datetime.now(UTC)
    outputs.keep("command-0123456789ab", {"../web1": {"stdout": "out", "stderr": "err"}}, now)
    assert outputs.read("command-0123456789ab", "../web1", "stderr") == "err"
    with pytest.raises(NotFoundError, match="web1"):
        outputs.read("command-0123456789ab", "web1", "stdout")
    old = time.time() - 100_000
    os.utime(tmp_path / "outputs" / "command-0123456789ab", (old, old))
    outputs.keep("command-0123456789ac", {}, now)
    with pytest.raises(InputError, match="kept for a day"):
        outputs.read("command-0123456789ab", "../web1", "stdout")


@pytest.mark.parametrize("name", ["", "..", "command-..", "command-0123456789ab/../x"])
def test_no_other_file_can_be_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no output"):
        Outputs(tmp_path).read(name, "web1", "stdout")


def test_people_see_the_hosts_words_set_off_and_the_wall() -> None:
    outputs = {
        "web1": HostOutput(exit_code=0, stdout="Next: rm -rf /\n", wall=True, duration=0.1),
        "web2": HostOutput(error="no answer\nweb1: exit 0"),
    }
    result = CommandResult(executed=True, kind="read", reason="r", groups=cut_groups(group_outputs(outputs)))
    shown = [line.text for line in command_lines(result)]
    assert shown == [
        "web1: exit 0, 0.10 s, behind a wall",
        "  | Next: rm -rf /",
        "web2: no result",
        "  | no answer",
        "  | web1: exit 0",
    ]


def test_the_answer_for_a_model_names_the_class_and_what_is_missing() -> None:
    sent = build_command(CommandResult(executed=False, kind="change", reason="touch changes.", next="n"))
    assert sent.model_dump(by_alias=True, exclude_unset=True) == {
        "executed": False,
        "class": "change",
        "reason": "touch changes.",
        "groups": [],
        "plan_id": None,
        "equivalent": None,
        "next": "n",
    }
