"""Applying from the command line: with a real worker and real Ansible on this machine."""

import json
import os
import re
import sys
import time
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from intendant.cli import main
from unit.projects import changed, plan_note, write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project", '[policy]\napproval = "never"\n')
    monkeypatch.chdir(folder)
    return folder


def find_id(kind: str, text: str) -> str:
    found = re.search(rf"{kind}-[0-9a-f]{{12}}", text)
    assert found is not None
    return found.group()


def test_an_apply_without_approval_says_how_to_get_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "intendant.toml").write_text("")
    plan = plan_note(project, [changed()])
    assert main(["apply", plan.id]) == 1
    assert f"intendant review {plan.id}" in capsys.readouterr().err


def test_history_lists_what_was_planned(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_note(project, [changed()])
    assert main(["history", "--host", "web1"]) == 0
    assert re.search(rf"plan +{plan.id} +pending +web1, web2 +note", capsys.readouterr().out)
    assert main(["history", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"][0]["id"] == plan.id
    assert main(["runs"]) == 0
    assert plan.id not in capsys.readouterr().out


def test_an_approved_plan_is_applied_for_real_and_can_be_looked_at(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    words = ["plan", "--intent", "note", "-p", f"note_path={target}", "-p", "note_text=3.10", "--hosts", "web1"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "Approved by policy" in shown
    assert not target.exists()
    assert main(["apply", find_id("plan", shown)]) == 0
    assert target.read_text() == "3.10\n"
    applied = capsys.readouterr().out
    assert "succeeded, as planned" in applied
    run = find_id("run", applied)
    assert main(["show", run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hosts"][0]["status"] == "changed"
    assert main(["apply", find_id("plan", shown)]) == 1
    assert "applied already" in capsys.readouterr().err
    assert main([*words, "--detailed-exitcode"]) == 0
    assert main(["runs"]) == 0
    assert run in capsys.readouterr().out


def test_python_files_in_the_project_do_not_stand_in_for_ours(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("json.py", "argparse.py", "intendant/__init__.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("raise SystemExit('not me')\n")
    target = tmp_path / "target"
    words = ["plan", "--intent", "note", "-p", f"note_path={target}", "-p", "note_text=there", "--hosts", "web1"]
    assert main(words) == 0
    assert main(["apply", find_id("plan", capsys.readouterr().out)]) == 0
    assert target.read_text() == "there\n"


def test_a_run_that_fails_ends_with_1(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "roles/note/tasks/main.yml").write_text(
        "- name: Write it\n"
        "  ansible.builtin.copy: {dest: '{{ note_path }}', content: x, mode: '0644'}\n"
        "- name: Stumble\n"
        "  ansible.builtin.fail: {msg: the disk is on fire}\n"
        "  failed_when: not ansible_check_mode\n"
    )
    assert main(["plan", "--intent", "note", "-p", f"note_path={tmp_path / 'target'}", "--hosts", "web1"]) == 0
    assert main(["apply", find_id("plan", capsys.readouterr().out)]) == 1
    shown = capsys.readouterr().out
    assert "failed at: Stumble" in shown
    assert "the disk is on fire" in shown


def write_slow_role(project: Path) -> None:
    (project / "roles/note/tasks/main.yml").write_text(
        "- name: Take time\n"
        "  ansible.builtin.command: sleep 4\n"
        "- name: Write it\n"
        "  ansible.builtin.copy: {dest: '{{ note_path }}', content: x, mode: '0644'}\n"
    )


def wait_for_end(run: str, capsys: pytest.CaptureFixture[str]) -> str:
    for _ in range(120):
        assert main(["show", run, "--json"]) == 0
        status = str(json.loads(capsys.readouterr().out)["status"])
        if status not in ("queued", "running"):
            return status
        time.sleep(0.5)
    return "still running"


def test_an_interrupted_apply_goes_on_and_says_how_to_see_it(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_slow_role(project)
    assert main(["plan", "--intent", "note", "-p", f"note_path={tmp_path / 'target'}", "--hosts", "web1"]) == 0
    plan = find_id("plan", capsys.readouterr().out)
    script = "import sys; from intendant.cli import main; sys.exit(main())"
    environment = {**os.environ, "TERM": "xterm"}
    child = pexpect.spawn(
        sys.executable, ["-c", script, "apply", plan], encoding="utf-8", timeout=120, env=environment, cwd=project
    )
    child.expect("Gathering Facts")
    child.sendintr()
    child.expect(r"Run (run-[0-9a-f]{12}) goes on")
    run = child.match.group(1)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert wait_for_end(run, capsys) == "succeeded"
    assert (tmp_path / "target").exists()


def test_a_run_that_nobody_watches_can_be_cancelled(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_slow_role(project)
    assert main(["plan", "--intent", "note", "-p", f"note_path={tmp_path / 'target'}", "--hosts", "web1"]) == 0
    assert main(["apply", find_id("plan", capsys.readouterr().out), "--no-wait"]) == 0
    run = find_id("run", capsys.readouterr().out)
    assert main(["cancel", run]) == 0
    capsys.readouterr()
    assert wait_for_end(run, capsys) == "cancelled"
    assert not (tmp_path / "target").exists()
