"""Programs that hang, flood or leave others behind are bounded."""

import time
from pathlib import Path

import psutil

from intendant.reach.running import plain_environment, run_bounded


def run(script: str, folder: Path, seconds: float = 10, most_bytes: int = 1_000_000) -> tuple[int | None, str, str]:
    return run_bounded(["/bin/sh", "-c", script], folder, plain_environment(), "given", seconds, most_bytes)


def test_a_program_gets_its_input_and_its_outputs_are_told_apart(tmp_path: Path) -> None:
    assert run("cat; echo bad >&2; exit 3", tmp_path) == (3, "given", "bad\n")
    assert run("pwd", tmp_path)[1].strip() == str(tmp_path)
    assert run("exec <&-; exit 0", tmp_path)[0] == 0


def test_a_program_that_hangs_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    began = time.monotonic()
    script = "sh -c 'trap \"\" TERM HUP; echo $$ > child; while :; do sleep 1; done' & echo so far; wait"
    assert run(script, tmp_path, seconds=1) == (None, "so far\n", "")
    assert time.monotonic() - began < 6
    child = int((tmp_path / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_program_that_floods_fills_no_memory(tmp_path: Path) -> None:
    exit_code, stdout, _ = run("head -c 50000000 /dev/zero", tmp_path, most_bytes=100_000)
    assert exit_code == 0
    assert 100_000 <= len(stdout) <= 200_000


def test_a_program_that_leaves_one_behind_with_its_outputs_does_not_hold_us(tmp_path: Path) -> None:
    began = time.monotonic()
    exit_code, stdout, _ = run("echo done; sleep 60 &", tmp_path, seconds=1)
    assert (exit_code, stdout) == (0, "done\n")
    assert time.monotonic() - began < 6


def test_a_program_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    exit_code, _, stderr = run_bounded(["/no/such/ssh"], tmp_path, plain_environment(), "", 5)
    assert exit_code == 255
    assert "/no/such/ssh cannot be started" in stderr


def test_nobody_is_asked(tmp_path: Path) -> None:
    assert run("read answer </dev/tty && echo asked", tmp_path)[1] == ""
    assert plain_environment()["SSH_ASKPASS_REQUIRE"] == "never"
