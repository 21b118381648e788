"""`-p`: what is typed becomes what the argument specification says, and no secret is taken in clear."""

import pytest
from pydantic import JsonValue

from intendant.cli.params import parse_params
from intendant.errors import InputError, NotFoundError
from intendant.intents import Intent

INTENT = Intent(
    name="user",
    title="A user",
    path="/roles/user",
    options={
        "user_name": {"type": "str", "required": True},
        "user_shell": {},
        "user_groups": {"type": "list", "elements": "str"},
        "user_ports": {"type": "list", "elements": "int"},
        "user_sudo": {"type": "bool"},
        "user_uid": {"type": "int"},
        "user_weight": {"type": "float"},
        "user_limits": {"type": "dict"},
        "user_password": {"type": "str", "no_log": True},
        "user_login": {"type": "dict", "options": {"token": {"type": "str", "no_log": True}}},
    },
)


def parse(*words: str, secret: str = "") -> dict[str, JsonValue]:
    return parse_params(words, INTENT, lambda _: secret)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("user_name=3.12", "3.12"),
        ("user_name=", ""),
        ("user_name=a=b", "a=b"),
        ("user_name=yes", "yes"),
        ('user_name={"from_var": "x"}', '{"from_var": "x"}'),
        ("user_name={{ lookup('pipe', 'id') }}", "{{ lookup('pipe', 'id') }}"),
        ("user_name=-", "-"),
        ("user_shell=1", "1"),
        ("user_sudo=yes", True),
        ("user_sudo=False", False),
        ("user_uid=-5", -5),
        ("user_weight=1.5", 1.5),
        ('user_limits={"a": [1]}', {"a": [1]}),
        ('user_groups=["a", "b"]', ["a", "b"]),
        ("user_groups=a,b", ["a,b"]),
        ("user_name:var=who", {"from_var": "who"}),
        ("user_groups:var=who", {"from_var": "who"}),
        ("user_password:var=vault_password", {"from_var": "vault_password"}),
    ],
)
def test_a_value_is_read_by_the_type_of_its_param(word: str, value: JsonValue) -> None:
    assert list(parse(word).values()) == [value]


def test_a_list_is_the_option_repeated() -> None:
    assert parse("user_groups=a", "user_groups:var=b", "user_ports=1", "user_ports=2") == {
        "user_groups": ["a", {"from_var": "b"}],
        "user_ports": [1, 2],
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["user_sudo=maybe"], "-p user_sudo: is no bool. Allowed: true, yes, false, no."),
        (["user_uid=3.0"], "-p user_uid: is no int."),
        (["user_limits=[1]"], "-p user_limits: is no JSON dict: got list."),
        (["user_limits={"], "-p user_limits: is no JSON dict"),
        (["user_groups=[1"], "-p user_groups: is no JSON list"),
        (["user_name"], "write it as -p name=value"),
        (["user_name:file=x"], "write it as -p name=value"),
        (["user_name=a", "user_name=b"], "-p user_name: give it once"),
        (["user_name:var=a.b"], "from_var"),
        (["user_name:var=lookup('x')"], "from_var"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name(words: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(*words)
    assert message in str(caught.value)


def test_an_unknown_param_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(NotFoundError, match="Did you mean user_groups"):
        parse("user_group=a")


@pytest.mark.parametrize("word", ["user_password=hunter2secret", 'user_login={"token": "hunter2secret"}'])
def test_a_secret_in_clear_is_refused_without_repeating_it(word: str) -> None:
    with pytest.raises(InputError, match="process list") as caught:
        parse(word)
    assert "hunter2secret" not in str(caught.value)


def test_a_secret_is_read_where_a_dash_stands() -> None:
    assert parse("user_password=-", secret="s3") == {"user_password": "s3"}
    assert parse("user_login=-", secret='{"token": "s3"}') == {"user_login": {"token": "s3"}}


def test_a_secret_of_the_wrong_type_is_not_repeated_either() -> None:
    with pytest.raises(InputError) as caught:
        parse("user_login=-", secret="hunter2secret")
    assert "hunter2secret" not in str(caught.value)
