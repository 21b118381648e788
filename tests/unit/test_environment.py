from pathlib import Path

import pytest

from intendant.config import load_config
from intendant.inventory import Inventory
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


def test_no_ansible_cfg_of_the_machine_is_used_by_a_project_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "intendant.toml").write_text("")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts.yml").write_text("all: {hosts: {web1: {}}}")
    config = load_config(tmp_path)
    monkeypatch.setenv("ANSIBLE_CONFIG", str(tmp_path / "other.cfg"))
    (tmp_path / "other.cfg").write_text("[defaults]\ninventory = nowhere\n")
    assert Path(ansible_environment(config)["ANSIBLE_CONFIG"]).read_text().endswith("[defaults]\n")
    assert Inventory(config).read().hosts.keys() == {"web1"}


def test_settings_of_the_callers_environment_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_TIMEOUT", "33")
    assert environment(tmp_path, "[defaults]\n")["ANSIBLE_TIMEOUT"] == "33"
