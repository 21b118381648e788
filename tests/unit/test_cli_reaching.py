"""`intendant hosts --check` on hosts that are this machine or nowhere, with its exit codes."""

import json
from pathlib import Path

import pytest

from intendant.cli import main
from unit.projects import write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def lose_web2(project: Path) -> None:
    (project / "inventory/host_vars").mkdir()
    (project / "inventory/host_vars/web2.yml").write_text("ansible_connection: ssh\nansible_host: web9.invalid\n")


def test_good_hosts_are_one_line_and_exit_0(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hosts", "--check"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("ok    web1, web2: ")
    assert last.startswith("2 of 2 hosts reachable")


def test_a_host_that_cannot_be_reached_comes_first_with_its_fix_and_exits_1(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lose_web2(project)
    assert main(["hosts", "web", "--check"]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "fail  web2: name: The name does not resolve."
    assert any(line.startswith("      → Check ansible_host") for line in shown)
    assert main(["hosts", "web1", "--check"]) == 0


def test_the_result_as_json_has_every_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lose_web2(project)
    assert main(["hosts", "--check", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["reachable"], found["total"]) == (False, 1, 2)
    assert [host["host"] for host in found["hosts"]] == ["web1", "web2"]
    assert {"host", "ok", "checks", "seconds"} <= found["hosts"][0].keys()
    assert {check["name"] for check in found["hosts"][0]["checks"]} == {"connect", "shell", "python", "space", "clock"}
    assert found["hosts"][1]["problem"]
    assert found["hosts"][1]["fix"]


@pytest.mark.parametrize("words", [["wbe1"], [""], ["@hosts"], ["--no-such-option"], ["web1", "web2"]])
def test_what_cannot_be_checked_at_all_exits_2(
    words: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hosts", "--check", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")


def test_without_a_project_nothing_can_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["hosts", "--check"]) == 2


def test_an_inventory_that_cannot_be_read_is_no_unreachable_host(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "inventory/hosts.yml").write_text("all: [")
    assert main(["hosts", "--check"]) == 2
    assert "Ansible cannot say how the hosts are reached" in capsys.readouterr().err


def test_a_variable_without_a_value_is_that_hosts_problem_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "inventory/host_vars").mkdir()
    (project / "inventory/host_vars/web2.yml").write_text("ansible_host: '{{ nowhere }}'\nansible_connection: ssh\n")
    assert main(["hosts", "--check"]) == 1
    shown = capsys.readouterr().out
    assert "fail  web2: settings: Its variables cannot be resolved: 'nowhere' is undefined" in shown
    assert "ok    web1" in shown
