import os
from pathlib import Path

import pytest

from intendant.config import load_config
from intendant.runner.environment import ansible_environment


def environment(tmp_path: Path, cfg: str) -> dict[str, str]:
    (tmp_path / "ansible.cfg").write_text(cfg)
    return ansible_environment(load_config(tmp_path))


def test_host_keys_are_checked_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    assert environment(tmp_path, "[defaults]\n")["ANSIBLE_HOST_KEY_CHECKING"] == "True"


def test_a_project_that_switches_host_key_checking_off_is_taken_as_it_is(tmp_path: Path) -> None:
    found = environment(tmp_path, "[defaults]\nhost_key_checking = False\n")
    assert found["ANSIBLE_HOST_KEY_CHECKING"] == "False"


def test_pipelining_is_on_unless_the_project_decides(tmp_path: Path) -> None:
    assert environment(tmp_path, "[defaults]\n")["ANSIBLE_PIPELINING"] == "True"
    assert "ANSIBLE_PIPELINING" not in environment(tmp_path, "[ssh_connection]\npipelining = False\n")


def test_no_ansible_cfg_of_the_machine_is_used_by_a_project_without_one(tmp_path: Path) -> None:
    (tmp_path / "intendant.toml").write_text("")
    found = ansible_environment(load_config(tmp_path))
    assert found["ANSIBLE_CONFIG"] == os.devnull


def test_settings_of_the_callers_environment_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_TIMEOUT", "33")
    assert environment(tmp_path, "[defaults]\n")["ANSIBLE_TIMEOUT"] == "33"
