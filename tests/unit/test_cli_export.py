"""`intendant export`, and `intendant plan -f` with what it wrote."""

import json
from pathlib import Path

import pytest

from intendant.app import open_app
from intendant.cli import main
from unit.histories import History
from unit.projects import scripted, write_project

NOTE = ("note", {"note_path": "/srv/{{ x }}", "note_text": "yes"})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    history = History(open_app(folder).store)
    history.apply("jot down a note", NOTE, hosts=("web1", "web2"), pattern="web")
    history.apply("again", NOTE, status="failed")
    return folder


def test_ids_or_hosts_are_printed_and_what_is_left_out_goes_to_stderr(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--hosts", "web"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("---\n# From Intendant's history: everything that was applied to web.\n")
    assert "note_path: !unsafe '/srv/{{ x }}'\n" in shown.out
    assert shown.err == "left out: run-000000000002 (failed) on web1: again\n"
    for item in ("plan-000000000001", "run-000000000001"):
        assert main(["export", item]) == 0
        assert "# Asked: jot down a note\n" in capsys.readouterr().out


def test_a_file_is_written_once_and_replaced_only_when_told_to(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "plan-000000000001", "--out", "one.yml"]) == 0
    assert capsys.readouterr() == ("", "The playbook is written to one.yml.\n")
    first = Path("one.yml").read_text(encoding="utf-8")
    assert main(["export", "--hosts", "web", "--out", "one.yml"]) == 1
    assert "--out one.yml: is there already. Name another file, or replace it with --force." in capsys.readouterr().err
    assert Path("one.yml").read_text(encoding="utf-8") == first
    assert main(["export", "--hosts", "web", "--out", "one.yml", "--force"]) == 0
    assert Path("one.yml").read_text(encoding="utf-8") != first
    assert main(["export", "--hosts", "web", "--out", "gone/one.yml"]) == 1
    assert "--out gone/one.yml: No such file or directory." in capsys.readouterr().err
    assert [path.name for path in project.glob("*one*")] == ["one.yml"]


def test_json_has_the_shape_of_the_tool(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--hosts", "web", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown.keys() == {"playbook", "left_out", "secrets", "next_cursor"}
    assert shown["left_out"] == ["run-000000000002 (failed) on web1: again"]


def test_plans_and_runs_are_not_mixed_and_force_needs_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "plan-000000000001", "run-000000000001"]) == 1
    assert "Give exactly one of plans" in capsys.readouterr().err
    assert main(["export", "plan-000000000001", "--force"]) == 1
    assert "--force: goes with --out FILE." in capsys.readouterr().err


def test_what_was_exported_is_planned_again_with_the_same_steps(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("intendant.app.open_app", scripted())
    assert main(["export", "plan-000000000001", "--out", "one.yml"]) == 0
    assert main(["plan", "-f", "one.yml", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    plan = open_app(project).store.get_plan(shown["plan_id"])
    known = open_app(project).store.get_plan("plan-000000000001")
    assert (plan.steps, plan.pattern) == (known.steps, known.pattern)
    assert [host.host for host in plan.hosts] == [host.host for host in known.hosts]


def test_a_playbook_of_another_kind_is_refused_by_its_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("two.yml").write_text("- hosts: web\n  become: true\n  roles: [note]\n- hosts: web\n  steps: []\n")
    assert main(["plan", "-f", "two.yml"]) == 1
    assert "-f two.yml, document 1: the play: roles cannot be planned." in capsys.readouterr().err
