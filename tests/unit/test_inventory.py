from pathlib import Path

import pytest

from intendant.config import load_config
from intendant.errors import EngineError, InputError, NotFoundError
from intendant.inventory import Inventory, check_pattern, parse_inventory

HOSTS = """
all:
  children:
    web:
      hosts:
        web1: {ansible_host: 192.0.2.1, ansible_user: admin, ansible_port: 2222, secret_word: canary}
        web2:
    prod:
      children:
        web:
      hosts:
        db1: {ansible_connection: local}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = inventory\n")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts.yml").write_text(HOSTS)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "web.yml").write_text("colour: blue\n")
    return Inventory(load_config(tmp_path))


def test_hosts_come_with_their_groups_and_how_they_are_reached(inventory: Inventory) -> None:
    view = inventory.read()
    web1 = view.hosts["web1"]
    assert (web1.address, web1.user, web1.port, web1.connection) == ("192.0.2.1", "admin", 2222, "ssh")
    assert web1.groups == ("prod", "web")
    assert view.hosts["db1"].connection == "local"
    assert view.hosts["web2"].address == "web2"
    assert view.groups["prod"] == ("db1", "web1", "web2") or set(view.groups["prod"]) == {"db1", "web1", "web2"}


def test_variables_beside_the_playbooks_count(inventory: Inventory) -> None:
    assert inventory.read("web").hosts["web2"].variables["colour"] == "blue"


def test_a_pattern_limits_hosts_as_ansible_understands_it(inventory: Inventory) -> None:
    assert set(inventory.read("prod:!web1").hosts) == {"web2", "db1"}


def test_a_pattern_that_matches_nothing_offers_the_nearest_names(inventory: Inventory) -> None:
    with pytest.raises(NotFoundError, match="web1") as caught:
        inventory.read("wbe1")
    assert "web1" in caught.value.nearest


@pytest.mark.parametrize("pattern", ["", "  ", "@/etc/passwd", "-i", "web\n1", "web\x00"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="hosts:"):
        check_pattern(pattern)


def test_a_broken_inventory_is_an_error_in_the_words_of_ansible(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "group_vars" / "web.yml").write_text("colour: [\n")
    with pytest.raises(EngineError, match="YAML parsing failed"):
        inventory.read()


def test_variables_are_not_part_of_a_hosts_printed_form(inventory: Inventory) -> None:
    assert "canary" not in repr(inventory.read().hosts["web1"])


def test_groups_that_hold_each_other_do_not_hang() -> None:
    listed = {"all": {"children": ["a"]}, "a": {"children": ["b"], "hosts": ["h"]}, "b": {"children": ["a"]}}
    assert parse_inventory(listed).hosts.keys() == {"h"}


def test_one_unreadable_file_of_several_is_an_error_and_not_an_empty_source(
    inventory: Inventory, tmp_path: Path
) -> None:
    (tmp_path / "inventory" / "more.yml").write_text("all:\n  hosts: [web9\n")
    with pytest.raises(EngineError, match=r"more\.yml"):
        inventory.read()


def test_python_files_of_the_project_do_not_stand_in_for_ansibles(inventory: Inventory, tmp_path: Path) -> None:
    for name in ("json.py", "yaml.py", "ansible/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise SystemExit('not me')\n")
    assert set(inventory.read("web").hosts) == {"web1", "web2"}
