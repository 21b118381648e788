"""Literal secrets are written as ciphertext only, everything else as data that is no template."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intendant.errors import InputError
from intendant.intents import Intent, Step
from intendant.plans import SENSITIVE
from intendant.secrets import SecretBox, encode_params, find_references, hide_params

CANARY = "canary-9d2f {{ 7 * 6 }}"
OPTIONS: dict[str, dict[str, Any]] = {
    "app_name": {"type": "str"},
    "app_tags": {"type": "list", "elements": "str"},
    "app_password": {"type": "str", "no_log": True},
    "app_pins": {"type": "list", "elements": "str", "no_log": True},
    "app_retries": {"type": "int"},
    "app_login": {
        "type": "dict",
        "options": {"user": {"type": "str"}, "key": {"type": "str", "no_log": True}},
    },
    "app_users": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "token": {"type": "str", "no_log": True}},
    },
    "app_vault": {"type": "dict", "no_log": True},
}
INTENT = Intent(name="app", title="App", path="/roles/app", options=OPTIONS)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcxyz_{%", max_size=5).filter(lambda key: key != "from_var"), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> SecretBox:
    return SecretBox(tmp_path_factory.mktemp("state"))


def encode(box: SecretBox, **params: Any) -> dict[str, Any]:
    return encode_params(INTENT, Step(intent="app", params=params), box)


def decrypt(box: SecretBox, encoded: Any) -> str:
    assert list(encoded) == ["__ansible_vault"]
    secret = VaultSecret(box.key_file.read_bytes().strip())
    return str(VaultLib([("intendant", secret)]).decrypt(encoded["__ansible_vault"]).decode())


def hide(**params: Any) -> dict[str, Any]:
    return dict(hide_params(INTENT, Step(intent="app", params=params)).params)


def test_a_string_becomes_unsafe_data_wherever_it_stands(box: SecretBox) -> None:
    assert encode(box, app_name="{{ x }}", app_tags=["a", "{% b %}"], app_login={"user": "{{ u }}"}) == {
        "app_name": {"__ansible_unsafe": "{{ x }}"},
        "app_tags": [{"__ansible_unsafe": "a"}, {"__ansible_unsafe": "{% b %}"}],
        "app_login": {"user": {"__ansible_unsafe": "{{ u }}"}},
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=values)
def test_no_string_of_any_value_stays_bare(box: SecretBox, value: Any) -> None:
    assert not list(bare_strings(encode(box, app_name=value)))


def test_numbers_booleans_and_null_stay_what_they_are(box: SecretBox) -> None:
    assert encode(box, app_retries=3, app_name=None, app_tags=[True, 1.5]) == {
        "app_retries": 3, "app_name": None, "app_tags": [True, 1.5],
    }  # fmt: skip


def test_a_secret_is_written_as_ciphertext_that_gives_it_back_exactly(box: SecretBox) -> None:
    encoded = encode(box, app_password=CANARY)
    assert CANARY not in json.dumps(encoded)
    assert decrypt(box, encoded["app_password"]) == CANARY


def test_secrets_in_lists_objects_and_lists_of_objects_are_ciphertext_too(box: SecretBox) -> None:
    encoded = encode(
        box,
        app_pins=["1234", CANARY],
        app_login={"user": "me", "key": CANARY},
        app_users=[{"name": "me", "token": CANARY}],
        app_vault={"deep": {"deeper": [CANARY]}},
    )
    assert CANARY not in json.dumps(encoded)
    assert [decrypt(box, item) for item in encoded["app_pins"]] == ["1234", CANARY]
    assert decrypt(box, encoded["app_login"]["key"]) == CANARY
    assert encoded["app_login"]["user"] == {"__ansible_unsafe": "me"}
    assert decrypt(box, encoded["app_users"][0]["token"]) == CANARY
    assert decrypt(box, encoded["app_vault"]["deep"]["deeper"][0]) == CANARY


def test_a_literal_that_looks_like_a_secret_is_ciphertext_in_files_and_masked_where_it_is_shown(box: SecretBox) -> None:
    text = "listen = 80\ndb_password = hunter2222\n"
    encoded = encode(box, app_name=text, app_tags=["a", text])
    assert [decrypt(box, encoded["app_name"]), decrypt(box, encoded["app_tags"][1])] == [text, text]
    assert encoded["app_tags"][0] == {"__ansible_unsafe": "a"}
    shown = f"listen = 80\ndb_password = {SENSITIVE}\n"
    assert hide(app_name=text, app_tags=["a", text]) == {"app_name": shown, "app_tags": ["a", shown]}


def test_a_secret_number_is_ciphertext_too(box: SecretBox) -> None:
    assert decrypt(box, encode(box, app_password=48151623)["app_password"]) == "48151623"


def test_a_reference_becomes_a_template_of_that_one_variable(box: SecretBox) -> None:
    encoded = encode(box, app_password={"from_var": "vault_app"}, app_tags=["x", {"from_var": "tag"}])
    assert encoded == {"app_password": "{{ vault_app }}", "app_tags": [{"__ansible_unsafe": "x"}, "{{ tag }}"]}


@pytest.mark.parametrize(
    "reference",
    [
        {"from_var": "a b"},
        {"from_var": "lookup('pipe', 'id')"},
        {"from_var": "a }}{{ b"},
        {"from_var": "x.y"},
        {"from_var": "ｘ"},
        {"from_var": ""},
        {"from_var": 1},
        {"from_var": ["x"]},
        {"from_var": "x", "default": "y"},
    ],
)
def test_what_is_no_identifier_is_no_reference_but_an_error(box: SecretBox, reference: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="from_var"):
        encode(box, app_name=reference)
    with pytest.raises(InputError, match="from_var"):
        hide(app_name=reference)


def test_hidden_params_keep_their_shape_and_lose_their_secrets() -> None:
    assert hide(
        app_name="n",
        app_password=CANARY,
        app_pins=["1", "2"],
        app_login={"user": "me", "key": CANARY},
        app_users=[{"name": "me", "token": CANARY}],
        app_vault={"deep": {"deeper": [CANARY]}},
    ) == {
        "app_name": "n",
        "app_password": SENSITIVE,
        "app_pins": [SENSITIVE, SENSITIVE],
        "app_login": {"user": "me", "key": SENSITIVE},
        "app_users": [{"name": "me", "token": SENSITIVE}],
        "app_vault": {"deep": {"deeper": [SENSITIVE]}},
    }


def test_a_reference_is_shown_since_it_is_only_a_name() -> None:
    assert hide(app_password={"from_var": "vault_app"}) == {"app_password": {"from_var": "vault_app"}}


def test_references_are_found_at_any_depth() -> None:
    value: Any = {"a": [{"from_var": "one"}, "two"], "b": {"c": {"from_var": "three"}}}
    assert find_references(value) == {"one", "three"}
    assert find_references("{{ four }}") == set()


def test_the_key_is_private_random_and_kept(tmp_path: Path) -> None:
    first, again, other = SecretBox(tmp_path), SecretBox(tmp_path), SecretBox(_folder(tmp_path / "other"))
    assert stat.S_IMODE(os.stat(first.key_file).st_mode) == 0o600
    assert len(first.key_file.read_text()) == 64
    assert decrypt(again, {"__ansible_vault": first.encrypt(CANARY)}) == CANARY
    assert first.key_file.read_text() != other.key_file.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "vault.key"]


def test_a_fingerprint_tells_equal_from_different_but_only_with_the_key(tmp_path: Path) -> None:
    first, other = SecretBox(tmp_path), SecretBox(_folder(tmp_path / "other"))
    assert first.fingerprint({"a": 1, "b": CANARY}) == SecretBox(tmp_path).fingerprint({"b": CANARY, "a": 1})
    assert first.fingerprint(CANARY) != first.fingerprint(CANARY + " ")
    assert first.fingerprint(CANARY) != other.fingerprint(CANARY)


def bare_strings(value: Any) -> Any:
    """Strings that Ansible would take for templates, were they any."""
    if isinstance(value, dict):
        if list(value) in (["__ansible_unsafe"], ["__ansible_vault"]):
            return
        for item in value.values():
            yield from bare_strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from bare_strings(item)
    elif isinstance(value, str):
        yield value


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
