"""The script that runs a command on a host, run here by the shells of this machine, and how its outputs are read."""

import shutil
import subprocess
import time

import pytest

from intendant.remote import KEEP_BYTES, Order, Outcome, build_script, read_outcome

MARK = "0123456789abcdef"
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def run(command: str, shell: str = "dash", seconds: int = 20, bash: bool = False) -> Outcome:
    order = Order(command, MARK, seconds, bash=bash)
    done = subprocess.run([shell], input=build_script(order).encode(), capture_output=True, timeout=60, check=True)
    return read_outcome(order, done.stdout, done.stderr)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_exit_code_and_both_outputs_come_back_apart(shell: str) -> None:
    found = run("printf out; echo err >&2; exit 3", shell)
    assert (found.code, found.stdout.data, found.stderr.data) == (3, b"out", b"err\n")
    assert (found.stdout.missing, found.timed_out, found.problem) == (0, False, "")


def test_the_command_reaches_its_shell_as_it_was_written(shell: str) -> None:
    written = "printf '%s|' 'a\"b' \"$((1+1))\" '$HOME' `echo z` é\nprintf '%s' \"it's\""
    assert run(written, shell).stdout.data == "a\"b|2|$HOME|z|é|it's".encode()


def test_any_bytes_come_back_as_they_are(shell: str) -> None:
    assert run(r"printf '\377\000\r\n'", shell).stdout.data == b"\xff\x00\r\n"


def test_the_command_has_no_input_and_no_descriptors_but_its_outputs(shell: str) -> None:
    assert run("cat; for fd in /proc/self/fd/*; do echo ${fd##*/}; done", shell).stdout.data.split()[:3] == [
        b"0",
        b"1",
        b"2",
    ]
    assert run("ls /proc/self/fd | wc -l", shell).stdout.data.strip() == b"4"  # the folder itself, too


def test_what_changes_how_shells_start_is_not_in_its_environment(shell: str) -> None:
    shown = run("env", shell).stdout.data.decode()
    assert "PAGER=cat" in shown
    assert "LC_ALL=C.UTF-8" in shown
    assert "BASH_ENV" not in shown


def test_top_finds_no_place_for_the_folder_that_it_makes_for_its_settings(shell: str) -> None:
    assert "XDG_CONFIG_HOME=/dev/null" in run("env # 'top' -bn1", shell).stdout.data.decode().splitlines()
    assert "XDG_CONFIG_HOME=/dev/null" not in run("env # docker top web", shell).stdout.data.decode().splitlines()


def test_a_command_that_takes_too_long_is_ended_with_its_children(shell: str) -> None:
    started = time.monotonic()
    found = run("echo begun; sleep 41.5 & sleep 41.5", shell, seconds=1)
    assert (found.code, found.timed_out, found.stdout.data) == (None, True, b"begun\n")
    assert time.monotonic() - started < 10
    assert not sleeps_of("41.5")


def test_a_command_that_ignores_the_first_signal_is_killed(shell: str) -> None:
    found = run("trap '' TERM; sleep 42.5; sleep 42.5", shell, seconds=1)
    assert found.timed_out
    assert not sleeps_of("42.5")


def test_an_exit_code_that_looks_like_a_time_out_is_none(shell: str) -> None:
    found = run("exit 124", shell)
    assert (found.code, found.timed_out) == (124, False)


def test_what_stays_in_the_background_neither_delays_the_answer_nor_outlives_it(shell: str) -> None:
    started = time.monotonic()
    assert run("sleep 43.5 & echo here", shell).stdout.data == b"here\n"
    # One that left the process group, and holds the output open, once it has had the time to.
    assert run("setsid sleep 43.5 & sleep 0.3; echo here", shell).stdout.data == b"here\n"
    assert time.monotonic() - started < 10
    assert not sleeps_of("43.5")


def test_of_a_long_output_both_ends_come_back_with_the_number_of_missing_bytes(shell: str) -> None:
    found = run("echo first; head -c 9000000 /dev/zero; echo last", shell)
    before, after = found.stdout.parts
    assert (len(before), len(after)) == (KEEP_BYTES, KEEP_BYTES)
    assert before.startswith(b"first\n\x00")
    assert after.endswith(b"\x00last\n")
    assert found.stdout.missing == 9_000_000 + 11 - 2 * KEEP_BYTES


@pytest.mark.parametrize("size", [KEEP_BYTES - 1, KEEP_BYTES, KEEP_BYTES + 1, 2 * KEEP_BYTES, 2 * KEEP_BYTES + 1])
def test_at_the_limit_no_byte_is_lost_or_counted_twice(size: int, shell: str) -> None:
    found = run(f"head -c {size} /dev/zero >&2", shell)
    assert len(found.stderr.data) + found.stderr.missing == size
    assert found.stderr.missing == max(0, size - 2 * KEEP_BYTES)


def test_bash_runs_what_only_bash_understands() -> None:
    assert run("[[ a == a* ]] && echo yes", bash=True).stdout.data == b"yes\n"


def test_a_signal_is_told_as_shells_do(shell: str) -> None:
    assert run("kill -9 $$", shell).code == 137


def test_what_a_login_shell_says_first_is_cut_off() -> None:
    order = Order("echo hi", MARK, 5)
    noisy = f"echo welcome; echo 'last login' >&2; {build_script(order)}"
    done = subprocess.run(["sh"], input=noisy.encode(), capture_output=True, timeout=60, check=True)
    found = read_outcome(order, done.stdout, done.stderr)
    assert (found.stdout.data, found.stderr.data) == (b"hi\n", b"")


def test_both_outputs_through_a_terminal_are_one_without_the_marks() -> None:
    shown = f"echo {MARK}\r\n{MARK}\r\n{MARK}\r\nout\r\nerr\r\n\r\n{MARK} code 5 seconds 0 stdout 0 stderr 0\r\n"
    found = read_outcome(Order("x", MARK, 5), shown.encode(), b"")
    assert (found.code, found.stdout.data, found.stderr.data) == (5, b"out\nerr\n", b"")


def test_a_connection_that_ends_early_is_a_problem_and_no_result() -> None:
    order = Order("x", MARK, 5)
    assert "login shell" in read_outcome(order, b"", b"").problem
    assert "not available" in read_outcome(order, b"", b"This account is currently not available.\n").problem
    assert "ended before" in read_outcome(order, f"{MARK}\npart".encode(), f"{MARK}\n".encode()).problem


def test_a_shell_without_the_programs_it_needs_says_which(tmp_path_factory: pytest.TempPathFactory) -> None:
    order = Order("x", MARK, 5)
    script = f"PATH={tmp_path_factory.mktemp('empty')}\n{build_script(order)}"
    done = subprocess.run(["/bin/sh"], input=script.encode(), capture_output=True, timeout=60, check=True)
    assert "timeout" in read_outcome(order, done.stdout, done.stderr).problem


def sleeps_of(seconds: str) -> list[str]:
    """Processes that still sleep, a moment after they were killed."""
    for _ in range(20):
        listed = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True, check=True).stdout
        found = [line for line in listed.splitlines() if f"sleep {seconds}" in line and not line.startswith("Z")]
        if not found:
            break
        time.sleep(0.1)
    return found
