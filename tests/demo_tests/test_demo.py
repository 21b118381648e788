"""`make demo`, as it runs with and without a terminal."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest
from demo import story, targets
from rich.console import Console

import lab as lab_package
from lab import Lab
from lab.registry import read_labs


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A temporary folder of its own, so that leftovers can be seen."""
    return {**os.environ, "TMPDIR": str(tmp_path), "TERM": "xterm", "COLUMNS": "120"}


def test_without_a_terminal_a_policy_file_approves_and_the_demo_says_so(
    lab: Lab, repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, str(repository / "demo" / "run.py")]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    shown = ["a policy file approves", "install Python", "+version: ", "succeeded, as planned", "nothing to change"]
    places = [said.index(part) for part in shown]
    assert places == sorted(places)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "says", "status"),
    [
        pytest.param("yes", "nothing left to do", 0, marks=pytest.mark.long),
        pytest.param("no", "You said no", 0, marks=pytest.mark.long),
        pytest.param("\x03", "Stopped", 130, marks=pytest.mark.long),
    ],
)
def test_on_a_terminal_a_person_is_asked(
    answer: str, says: str, status: int, lab: Lab, repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with pexpect.spawn(
        sys.executable, [str(repository / "demo" / "run.py")], env=environment, timeout=400, encoding="utf-8"
    ) as terminal:
        terminal.expect_exact("The server asks")
        terminal.expect_exact("+version: ")
        terminal.expect_exact("Apply this plan?")
        if answer == "\x03":
            terminal.sendintr()
        else:
            terminal.sendline(answer)
        terminal.expect_exact(says)
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == status
        assert not [record.id for record in read_labs() if record.id.startswith(f"pid-{terminal.pid}-")]
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_booted_this_machine_is_only_planned_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_package, "missing", lambda: ["lab hosts need root; run this as root"])
    monkeypatch.setattr(lab_package, "install_packages", lambda: None)
    monkeypatch.setattr(targets, "_find_engine", lambda: "")
    with targets.open_target(tmp_path, lambda _: None) as target:
        assert target.name == "localhost"
        assert target.look is None
        assert target.missing[0] == "lab hosts need root; run this as root"
        assert "docker info" in target.missing[1]
        told = story.Story(Console(quiet=True), target, tmp_path)
        told.make_project()
    settings = tomllib.loads((told.project / "intendant.toml").read_text())
    assert settings["policy"] == {"approval": "always"}
