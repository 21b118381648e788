from pathlib import Path

import pytest

from intendant.config import default_state_dir, find_project, load_config
from intendant.errors import ProjectError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = inventory ; where\nhost_key_checking = False\n")
    return tmp_path


def test_a_folder_with_only_an_ansible_cfg_is_a_project(project: Path) -> None:
    config = load_config(project)
    assert config.project_dir == project
    assert config.policy.approval == "always"
    assert config.plan_ttl_seconds == 30 * 60
    assert config.recheck_after_seconds == 2 * 60


def test_the_project_is_found_from_a_folder_below(project: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below) == project


def test_a_folder_without_a_project_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="intendant init"):
        find_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("plan_ttl = 5\n", "plan_ttl"),
        ("plan_ttl_seconds = 0\n", "plan_ttl_seconds"),
        ("[policy]\napproval = 'sometimes'\n", "policy.approval"),
        ("[policy.groups.web]\napprove = 'never'\n", "policy.groups.web.approve"),
        ("project_dir = '/'\n", "project_dir"),
        ("not toml\n", "intendant.toml"),
        ("max_file_bytes = 0\n", "max_file_bytes"),
        ("download_dir = '.'\n", "download_dir"),
        ("download_dir = '/'\n", "download_dir"),
        ("upload_dir = '..'\n", "upload_dir"),
        ("state_dir = 'files/state'\n", "upload_dir"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(project: Path, text: str, named: str) -> None:
    (project / "intendant.toml").write_text(text)
    with pytest.raises(ProjectError, match=named):
        load_config(project)


def test_the_state_folder_is_the_users_own_and_differs_by_project(tmp_path: Path) -> None:
    one, two = default_state_dir(tmp_path / "one" / "p"), default_state_dir(tmp_path / "two" / "p")
    assert one != two
    assert tmp_path not in (one.parent, two.parent)


def test_the_state_folder_can_be_set_by_file_and_by_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "intendant.toml").write_text("state_dir = 'mine'\n")
    assert load_config(project).state_dir == project / "mine"
    monkeypatch.setenv("INTENDANT_STATE_DIR", str(project / "other"))
    assert load_config(project).state_dir == project / "other"


def test_settings_of_ansible_cfg_are_read_as_written(project: Path) -> None:
    config = load_config(project)
    assert config.read_ansible_setting("defaults", "inventory") == "inventory"
    assert config.read_ansible_setting("defaults", "forks") is None
    assert config.read_ansible_setting("privilege_escalation", "become") is None
