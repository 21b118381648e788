"""What a plan's file says of variables: enough to find a change, too little to find a secret."""

import pytest

from intendant.plans import Bindings, Seal, explain_drift
from intendant.sealing import hint_value, seal_values

SALT = "00" * 16


def test_a_seal_follows_from_the_salt_and_every_value() -> None:
    values = {"web1": {"a": 1, "b": ["x"]}}
    assert seal_values(SALT, values) == seal_values(SALT, {"web1": {"b": ["x"], "a": 1}})
    assert seal_values(SALT, values) != seal_values("01" * 16, values)
    assert seal_values(SALT, values) != seal_values(SALT, {"web1": {"a": 1, "b": ["y"]}})


def test_a_hint_is_one_byte_that_is_the_same_in_every_plan() -> None:
    hints = {hint_value("ansible_host", f"192.0.2.{number}") for number in range(256)}
    assert all(len(hint) == 2 for hint in hints)
    assert 100 < len(hints) <= 256
    assert hint_value("colour", "red") == hint_value("shade", "red")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_password", "x"),
        ("ansible_become_pass", "x"),
        ("vault_thing", "x"),
        ("api_token", 5),
        ("inline", {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n00"}),
        ("users", [{"name": "ann", "password": "x"}]),
        ("url", "https://ann:hunter2@example.com/"),
        ("config", "[db]\npassword = hunter2\n"),
    ],
)
def test_of_what_may_be_secret_there_is_no_hint(name: str, value: object) -> None:
    assert hint_value(name, value) == ""


def test_a_change_that_no_hint_shows_is_still_a_change() -> None:
    planned = Bindings(
        content={}, params="0", hosts=("web1",), variables={"web1": {"db_password": ""}}, ansible_core="2.19",
        seal=Seal(salt=SALT, values="1", intendant="0.1"),
    )  # fmt: skip
    assert explain_drift(planned, planned) == []
    current = planned.model_copy(update={"seal": Seal(salt=SALT, values="2", intendant="0.2")})
    [said] = explain_drift(planned, current)
    assert "another value, which may be a secret" in said
    moved = current.model_copy(update={"variables": {"web1": {"db_password": "", "colour": "1f"}}})
    assert explain_drift(planned, moved) == ["variable colour of web1 was added"]
