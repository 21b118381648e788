"""`intendant doctor`: what is missing is found before an apply needs it."""

import os
from pathlib import Path

import pytest

from intendant.cli import main
from intendant.doctor import Finding, Level, examine, finding_lines
from unit.projects import write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


def levels(findings: list[Finding], topic: str) -> set[Level]:
    return {finding.level for finding in findings if finding.topic == topic}


def test_a_sound_project_has_no_failure_and_tells_where_its_state_is(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INTENDANT_STATE_DIR", str(tmp_path / "state"))
    assert main(["--project", str(project), "doctor"]) == 0
    text = capsys.readouterr().out
    assert str(tmp_path / "state") in text
    assert "2 hosts" in text
    assert not (tmp_path / "state").exists()


def test_without_a_project_doctor_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--project", str(tmp_path), "doctor"]) == 1
    assert "Run 'intendant init'" in capsys.readouterr().out


def test_a_wrong_setting_is_named(project: Path) -> None:
    (project / "intendant.toml").write_text("plan_ttl = 5\n")
    finding = examine(project)[-1]
    assert (finding.level, finding.topic) == ("fail", "project")
    assert "plan_ttl" in finding.seen


def test_an_inventory_that_cannot_be_read_fails(project: Path) -> None:
    (project / "inventory/group_vars").mkdir()
    (project / "inventory/group_vars/all.yml").write_text("a: [")
    assert levels(examine(project), "inventory") == {"fail"}


def test_an_inventory_without_hosts_is_worth_a_warning(project: Path) -> None:
    (project / "inventory/hosts.yml").write_text("all: {hosts: {}}\n")
    assert levels(examine(project), "inventory") == {"warn"}


def test_hosts_that_need_ssh_need_its_client(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "fail" not in levels(examine(project), "ssh")
    (project / "inventory/hosts.yml").write_text("all: {hosts: {web1: {}}}\n")
    assert levels(examine(project), "ssh") == {"fail"}


@pytest.mark.parametrize("setting", ["vault_password_file = .pass", "vault_identity_list = a@prompt, prod@.pass"])
def test_a_vault_password_file_must_exist_and_be_private(setting: str, project: Path) -> None:
    with (project / "ansible.cfg").open("a") as file:
        file.write(f"{setting}\n")
    password = project / ".pass"
    assert "fail" in levels(examine(project), "vault")
    password.write_text("x")
    password.chmod(0o644)
    assert levels(examine(project), "vault") == {"warn"}
    password.chmod(0o600)
    assert levels(examine(project), "vault") == {"ok"}


def test_a_state_folder_that_others_can_read_is_worth_a_warning(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("INTENDANT_STATE_DIR", str(state))
    state.mkdir(mode=0o755)
    assert levels(examine(project), "state folder") == {"warn"}
    state.chmod(0o700)
    assert levels(examine(project), "state folder") == {"ok"}


def test_a_role_that_cannot_be_used_is_named(project: Path) -> None:
    (project / "roles/note/meta/argument_specs.yml").write_text("argument_specs: [")
    found = [finding for finding in examine(project) if finding.topic == "catalog" and finding.level == "warn"]
    assert any("roles/note/meta/argument_specs.yml" in finding.seen for finding in found)


def test_a_policy_that_never_asks_is_worth_a_warning(project: Path) -> None:
    assert levels(examine(project), "policy") == {"ok"}
    (project / "intendant.toml").write_text('[policy]\napproval = "never"\n')
    assert levels(examine(project), "policy") == {"warn"}


def test_a_shim_on_the_path_is_told_from_the_python_that_is_used(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shim = tmp_path / "shims" / "python3"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\nexit 1\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    finding = next(finding for finding in examine(project) if finding.topic == "python")
    assert finding.level == "ok"
    assert str(shim) in finding.seen


def test_what_to_do_follows_each_finding() -> None:
    lines = finding_lines([Finding("fail", "ssh", "none\nat all", "Install it."), Finding("ok", "policy", "fine")])
    assert [line.text for line in lines] == [
        "fail  ssh: none",
        "      at all",
        "      → Install it.",
        "ok    policy: fine",
    ]
