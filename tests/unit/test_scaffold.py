"""`intendant init`: a project that works at once, and nothing of anyone's overwritten."""

import tomllib
from pathlib import Path

import pytest

from intendant.config import Config, load_config
from intendant.errors import ProjectError
from intendant.inventory import Inventory
from intendant.policy import Policy
from intendant.scaffold import init_project


def test_a_new_project_is_read_by_the_settings_and_by_ansible(tmp_path: Path) -> None:
    result = init_project(tmp_path / "new" / "site")
    assert result.kept == ()
    config = load_config(tmp_path / "new" / "site")
    assert config.ansible_cfg is not None
    assert Inventory(config).read().hosts == {}


def test_the_written_settings_are_the_defaults_and_the_commented_ones_are_real(tmp_path: Path) -> None:
    init_project(tmp_path)
    config = load_config(tmp_path)
    assert config.policy == Policy()
    text = (tmp_path / "intendant.toml").read_text()
    commented = [line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line]
    before_groups = [line for line in commented if not line.startswith(("approval", 'allowed_intents = ["python'))]
    values = tomllib.loads("\n".join(before_groups))
    assert len(values) == len(before_groups) >= 6
    fields = {**{name: field.default for name, field in Config.model_fields.items()}, **Policy().model_dump()}
    for name, value in values.items():
        assert name in fields
        if name != "state_dir":
            assert value == (list(fields[name]) if isinstance(fields[name], tuple) else fields[name]), name


def test_the_commented_group_is_a_valid_one(tmp_path: Path) -> None:
    init_project(tmp_path)
    settings = tmp_path / "intendant.toml"
    head, _, group = settings.read_text().partition("# [policy.groups.lab]")
    settings.write_text(head + "[policy.groups.lab]" + group.replace("# ", ""))
    assert load_config(tmp_path).policy.groups["lab"].approval == "never"


def test_the_commented_inventory_is_a_valid_one(tmp_path: Path) -> None:
    init_project(tmp_path)
    inventory = tmp_path / "inventory" / "hosts.yml"
    lines = inventory.read_text().splitlines()
    example = [line[2:] for line in lines if line.startswith(("# all:", "#  "))]
    inventory.write_text("\n".join(example) + "\n")
    view = Inventory(load_config(tmp_path)).read()
    assert set(view.hosts) == {"web1", "web2", "localhost"}
    assert view.hosts["web1"].address == "192.0.2.11"


def test_a_second_init_keeps_everything(tmp_path: Path) -> None:
    first = init_project(tmp_path)
    (tmp_path / "intendant.toml").write_text("# mine\n")
    second = init_project(tmp_path)
    assert second.created == ()
    assert set(second.kept) == set(first.created)
    assert (tmp_path / "intendant.toml").read_text() == "# mine\n"


def test_an_ansible_repository_gets_only_what_intendant_adds(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = elsewhere\n")
    result = init_project(tmp_path)
    assert result.created == ("intendant.toml", ".gitignore")
    assert result.kept == ("ansible.cfg",)
    assert not (tmp_path / "inventory").exists()
    assert "as they are" in result.advice


def test_a_dangling_link_is_kept(tmp_path: Path) -> None:
    (tmp_path / "intendant.toml").symlink_to(tmp_path / "missing")
    assert "intendant.toml" in init_project(tmp_path).kept
    assert not (tmp_path / "missing").exists()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="cannot be written"):
        init_project(tmp_path / "file" / "site")
