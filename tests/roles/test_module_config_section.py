"""One section of a file comes, changes and goes, and the others stay as they are."""

from pathlib import Path
from typing import Any

import pytest

from intendant.ansible.modules.config_section import put_section
from roles.running import run_module

TEXT = "# head\n[one]\n  a = 1\n\n[Two]\n  b = 2\n"


def test_a_section_is_added_at_the_end() -> None:
    assert put_section(TEXT, "three", "[three]\n") == ("", TEXT + "[three]\n")
    assert put_section("[one]\na", "two", "[two]\n") == ("", "[one]\na\n[two]\n")


def test_a_section_is_replaced_where_it_is_whichever_way_it_is_spelled() -> None:
    assert put_section(TEXT, "ONE", "[ONE]\n") == ("[one]\n  a = 1\n\n", "# head\n[ONE]\n[Two]\n  b = 2\n")


def test_a_section_is_removed_alone() -> None:
    assert put_section(TEXT, "two", "") == ("[Two]\n  b = 2\n", "# head\n[one]\n  a = 1\n\n")
    assert put_section(TEXT, "three", "") == ("", TEXT)


def test_sections_of_a_new_file_are_predicted_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "shares.conf"
    steps: list[dict[str, Any]] = [{"file": str(path), "section": name, "lines": ["x = 1"]} for name in ("one", "two")]
    predicted = [run_module("config_section", check=True, **step) for step in steps]
    done = [run_module("config_section", **step) for step in steps]
    assert [told["diff"] for told in predicted] == [told["diff"] for told in done]
    assert path.read_text() == "[one]\n  x = 1\n[two]\n  x = 1\n"
    assert not any(run_module("config_section", check=True, **step)["changed"] for step in steps)
    for step in steps:
        assert run_module("config_section", **(step | {"state": "absent", "lines": []}))["changed"]
    assert not path.exists()


def test_what_the_validator_refuses_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "shares.conf"
    for check in (True, False):
        refused = run_module(
            "config_section", check=check, file=str(path), section="one", lines=["x"], validate=["grep", "y", "%s"]
        )
        assert "refuses the file" in refused["msg"]
    assert not path.exists()


@pytest.mark.parametrize("arguments", [{"section": "a]\nb"}, {"section": ""}, {"section": "a", "lines": ["x\n[b]"]}])
def test_nothing_gets_into_the_file_that_is_no_line_of_the_section(tmp_path: Path, arguments: dict[str, Any]) -> None:
    assert run_module("config_section", file=str(tmp_path / "x"), **arguments)["failed"]
    assert not (tmp_path / "x").exists()
