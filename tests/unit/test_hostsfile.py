"""The inventory's file keeps its comments, its order and its layout."""

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from intendant.config import load_config
from intendant.errors import InputError, ProjectError
from intendant.hostsfile import add_host, edit_host, remove_host
from intendant.inventoryfiles import find_files_of, find_hosts_file, list_groups
from intendant.scaffold import init_project
from intendant.textfiles import FileChange, replace_text, replace_texts
from intendant.yamltext import read_plain

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


COMMENTED = """\
all:
  children:
    web:
      hosts:
        # the first
        web1:
          ansible_host: 192.0.2.11   # rack 4
          tags: [a, "b"]

        # the second
        web2:
          ansible_host: 192.0.2.12
        # nobody
      vars:
        x: 1
  hosts:
    solo:
      a: 1
    # last
# end
"""
SHARED = """\
common: &common {tier: gold}
all:
  hosts:
    a: &first
      ansible_host: 192.0.2.1
    b: *first
    c:
      <<: *common
      size: 1
"""


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


@pytest.mark.parametrize("name", ["web1", "web2", "solo"])
def test_no_comment_around_a_removed_host_goes_with_it(name: str) -> None:
    after = remove_host(COMMENTED, name)
    assert comments(after) == comments(COMMENTED)
    assert [line for line in changed(COMMENTED, after) if line[0] == "+"] == (
        ["+  hosts: {}"] if name == "solo" else []
    )
    assert name not in list(yaml.safe_load(after)["all"]["children"]["web"]["hosts"])


def test_variables_and_groups_are_edited_where_they_stand() -> None:
    assert changed(COMMENTED, edit_host(COMMENTED, "web1", {"tier": "gold"})) == ["+          tier: gold"]
    assert changed(COMMENTED, edit_host(COMMENTED, "web1", {"ansible_host": "192.0.2.9"})) == [
        "-          ansible_host: 192.0.2.11   # rack 4",
        "+          ansible_host: 192.0.2.9   # rack 4",
    ]
    assert changed(COMMENTED, edit_host(COMMENTED, "web1", {"tags": None})) == ['-          tags: [a, "b"]']
    assert edit_host(edit_host(COMMENTED, "web1", {"x": [1, {"y": "on"}]}), "web1", {"x": None}) == COMMENTED
    assert edit_host(COMMENTED, "web1", join=["web"]) == COMMENTED

    moved = edit_host(COMMENTED, "web1", join=["db"], leave=["web"])
    assert list_groups(moved, "web1") == {"db"}
    variables = {"ansible_host": "192.0.2.11", "tags": ["a", "b"]}
    assert yaml.safe_load(moved)["all"]["children"]["db"] == {"hosts": {"web1": variables}}
    loose = edit_host(COMMENTED, "web1", leave=["web"])
    assert yaml.safe_load(loose)["all"]["hosts"]["web1"] == variables
    assert comments(loose) == comments(moved) == comments(COMMENTED)


def test_what_is_not_there_cannot_be_taken_away() -> None:
    with pytest.raises(InputError, match="no variable 'nope'"):
        edit_host(COMMENTED, "web1", {"nope": None})
    with pytest.raises(InputError, match="in the group 'db', but in: web"):
        edit_host(COMMENTED, "web1", leave=["db"])
    with pytest.raises(InputError, match="does not name the host 'web9'"):
        edit_host(COMMENTED, "web9", {"x": 1})


def test_anchors_stay_and_nothing_that_is_shared_is_changed() -> None:
    assert yaml.safe_load(remove_host(SHARED, "a"))["all"]["hosts"]["b"] == {"ansible_host": "192.0.2.1"}
    assert changed(SHARED, add_host(SHARED, "d", {})) == ["+    d:"]
    with pytest.raises(ProjectError, match="Other entries"):
        edit_host(SHARED, "b", {"x": 1})
    with pytest.raises(ProjectError, match="from an anchor"):
        edit_host(SHARED, "c", {"tier": None})
    assert yaml.safe_load(edit_host(SHARED, "c", {"tier": "iron"}))["common"] == {"tier": "gold"}


@pytest.mark.parametrize(
    "value", ["on", "no", "0644", "1_000", "12:30:00", "2026-01-01", "~", "null", "=", "<<", "1e3"]
)
def test_text_that_yaml_1_1_takes_for_something_else_stays_text(value: str) -> None:
    """Ansible reads YAML 1.1, the one who writes speaks 1.2."""
    after = yaml.safe_load(add_host("", "web1", {"word": value, "deep": {"x": [value]}}))
    assert after["all"]["hosts"]["web1"] == {"word": value, "deep": {"x": [value]}}


def test_groups_are_found_with_those_that_hold_them() -> None:
    text = "all: {children: {prod: {children: {web: {}}}, web: {hosts: {x: {}}}}}\nlone: {hosts: {y: {}}}\n"
    assert list_groups(text, "x") == {"web", "prod"}
    assert list_groups(text, "y") == {"lone"}


def test_of_several_files_those_are_found_that_name_the_host(tmp_path: Path) -> None:
    init_project(tmp_path)
    folder = tmp_path / "inventory"
    (folder / "more.yml").write_text("db:\n  hosts:\n    db1:\n")
    (folder / "group_vars" / "web").mkdir(parents=True)
    (folder / "group_vars" / "web" / "vars.yml").write_text("all: {hosts: {db1: {}}}\n")
    (folder / "old.ini").write_text("[old]\nold1\n")
    config = load_config(tmp_path)
    assert find_files_of(config, "db1") == [folder / "more.yml"]
    with pytest.raises(InputError, match="INI"):
        find_files_of(config, "old1")


@settings(deadline=None, max_examples=40)  # each is some twenty readings
@given(
    text=st.sampled_from([TEXT, FOUR, COMMENTED, "", "all:\n  hosts: {}\n"]),
    name=st.from_regex(r"z[a-z0-9.-]{0,6}", fullmatch=True),
    variables=st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.recursive(
            st.one_of(st.booleans(), st.integers(), st.text(max_size=12).filter(str.isprintable)),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abno", max_size=3), inner, max_size=3),
            max_leaves=5,
        ),
        max_size=3,
    ),
    groups=st.lists(st.sampled_from(["web", "db", "new", "on"]), unique=True, max_size=3),
)
def test_a_host_comes_and_goes_and_all_else_stays(
    text: str, name: str, variables: dict[str, object], groups: list[str]
) -> None:
    first, *others = groups or [""]
    added = edit_host(add_host(text, name, variables, first), name, join=others)
    assert list_groups(added, name) == set(groups)
    removed = remove_host(added, name)
    assert name not in removed
    assert comments(removed) == comments(text)
    edited = edit_host(added, name, {"q": "x"}, leave=groups)
    assert list_groups(edited, name) == set()
    assert read_plain(edited)["all"]["hosts"][name] == {**variables, "q": "x"}


def test_of_several_files_all_are_replaced_or_none(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    changes = [FileChange(path=one, before="1", after="I"), FileChange(path=two, before="", after="II")]

    def refuse() -> None:
        raise ProjectError("No inventory.")

    with pytest.raises(ProjectError, match="as they were"):
        replace_texts(changes, refuse)
    assert (one.read_text(), two.read_text()) == ("1", "")
    with pytest.raises(ProjectError, match="in the meantime"):
        replace_texts([*changes[:1], changes[1].model_copy(update={"before": "other"})], lambda: None)
    assert one.read_text() == "1"
    replace_texts(changes, lambda: None)
    assert (one.read_text(), two.read_text()) == ("I", "II")
