"""The inventory's file keeps its comments, its order and its layout."""

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from intendant.config import load_config
from intendant.errors import InputError, ProjectError
from intendant.hostsfile import add_host, remove_host
from intendant.inventoryfiles import find_hosts_file
from intendant.scaffold import init_project
from intendant.textfiles import replace_text

TEXT = """\
# Ours.
all:
  children:
    web:  # behind the proxy
      hosts:
        web1:
          ansible_host: 192.0.2.11   # rack 4
          tags: [a, "b"]
        web2:
      vars:
        secret: !vault |
          $ANSIBLE_VAULT;1.1;AES256
          6162
    db: {hosts: {db1: {ansible_host: 192.0.2.21}}}
  vars:
    ansible_user: 'admin'

    # The end.
"""
FOUR = """\
web:
    hosts:
        web1:
            roles:
              - one
              - two
"""


def changed(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and not line.startswith(("+++", "---"))]


def test_a_host_in_a_group_is_added_and_nothing_else_changes() -> None:
    after = add_host(TEXT, "web3", {"ansible_host": "192.0.2.13", "ansible_port": 2222}, "web")
    assert changed(TEXT, after) == [
        "+        web3:",
        "+          ansible_host: 192.0.2.13",
        "+          ansible_port: 2222",
    ]


def test_a_host_without_a_group_and_one_in_a_new_group_have_their_place() -> None:
    loose = yaml.safe_load(add_host("all:\n  hosts: {}\n", "web1", {}))
    assert loose == {"all": {"hosts": {"web1": None}}}
    grouped = yaml.safe_load(add_host("", "web1", {"ansible_host": "a"}, "web"))
    assert grouped == {"all": {"children": {"web": {"hosts": {"web1": {"ansible_host": "a"}}}}}}
    assert "db2" in add_host(TEXT, "db2", {"ansible_host": "a"}, "db")
    assert add_host("# mine\nall:\n  hosts: {}\n", "web1", {}) == "# mine\nall:\n  hosts:\n    web1:\n"


def test_other_layouts_stay() -> None:
    assert changed(FOUR, add_host(FOUR, "web2", {"ansible_host": "a"}, "web")) == [
        "+        web2:",
        "+            ansible_host: a",
    ]


def test_what_is_added_is_removed_without_a_trace() -> None:
    assert remove_host(add_host(TEXT, "web3", {"ansible_host": "a"}, "web"), "web3") == TEXT
    assert remove_host(add_host(FOUR, "x", {}, "web"), "x") == FOUR


def test_a_host_is_removed_from_every_group() -> None:
    text = "all:\n  children:\n    a:\n      hosts:\n        x:\n        y:\n    b:\n      hosts:\n        x:\n"
    assert yaml.safe_load(remove_host(text, "x")) == {
        "all": {"children": {"a": {"hosts": {"y": None}}, "b": {"hosts": {}}}}
    }
    with pytest.raises(InputError, match="does not name the host 'z'"):
        remove_host(text, "z")


@given(
    value=st.text(max_size=30).filter(lambda text: text.isprintable()),
    name=st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True),
)
def test_any_value_is_written_as_data(value: str, name: str) -> None:
    after = yaml.safe_load(add_host(TEXT.replace("!vault ", ""), f"x{name}", {"ansible_user": value}, "web"))
    assert after["all"]["children"]["web"]["hosts"][f"x{name}"] == {"ansible_user": value}


@pytest.mark.parametrize("text", ["all: [", "- a\n- b\n", "just words\n"])
def test_what_is_no_inventory_is_refused(text: str) -> None:
    with pytest.raises(ProjectError):
        add_host(text, "web1", {})


def test_the_file_is_found_or_said_to_be_missing(tmp_path: Path) -> None:
    init_project(tmp_path)
    assert find_hosts_file(load_config(tmp_path)) == tmp_path / "inventory" / "hosts.yml"
    (tmp_path / "inventory" / "hosts.yml").rename(tmp_path / "inventory" / "hosts.ini")
    with pytest.raises(ProjectError, match="by hand"):
        find_hosts_file(load_config(tmp_path))


def test_a_file_that_changed_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text("new")
    path.chmod(0o640)
    with pytest.raises(ProjectError, match="in the meantime"):
        replace_text(path, "old", "mine")
    replace_text(path, "new", "mine")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("mine", 0o640)
    assert [entry.name for entry in tmp_path.iterdir()] == ["hosts.yml"]
