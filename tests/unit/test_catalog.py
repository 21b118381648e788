"""The catalog: which roles are intents, and what it takes for params to fit them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from intendant.catalog import Catalog
from intendant.errors import InputError, NotFoundError, PolicyError, ProjectError
from intendant.intents import Intent, Step

ROLES = Path(__file__).parents[2] / "roles"

OPTIONS: dict[str, Any] = {
    "app_name": {"type": "str", "required": True, "description": "Name of the app."},
    "app_version": {"type": "str", "description": ["Version.", "In quotes."]},
    "app_port": {"type": "int", "default": 80},
    "app_ratio": {"type": "float"},
    "app_debug": {"type": "bool"},
    "app_state": {"choices": ["present", "absent"], "default": "present"},
    "app_home": {"type": "path"},
    "app_tags": {"type": "list", "elements": "str"},
    "app_modes": {"type": "list", "elements": "str", "choices": ["fast", "safe"]},
    "app_env": {"type": "dict"},
    "app_anything": {"type": "raw"},
    "app_token": {"type": "str", "no_log": True, "choices": ["alpha", "beta"], "default": "alpha"},
    "app_users": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "uid": {"type": "int"},
            "key": {"type": "str", "no_log": True},
            "key_file": {"type": "path"},
        },
        "mutually_exclusive": [["key", "key_file"]],
    },
}


def write_role(folder: Path, options: object = None, **files: str) -> Path:
    spec = {"argument_specs": {"main": {"short_description": "Run an app", "options": options or {}}}}
    write(folder / "meta" / "argument_specs.yml", yaml.safe_dump(spec, sort_keys=False))
    for name, text in files.items():
        write(
            folder / name.replace("__", "/") / "main.yml" if name == "defaults" else folder / "meta" / f"{name}.yml",
            text,
        )
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    write_role(tmp_path / "roles" / "app", OPTIONS)
    return tmp_path / "roles"


@pytest.fixture
def app(roles: Path) -> Intent:
    return Catalog([roles]).get("app")


@pytest.fixture
def check(roles: Path) -> Callable[..., dict[str, Any]]:
    """Validates one step of the app, in which variables called vault_… may be referenced."""
    catalog = Catalog([roles])

    def check_params(**params: Any) -> dict[str, Any]:
        step = Step(intent="app", params={"app_name": "shop", **params})
        return dict(catalog.validate_steps([step], lambda name: name.startswith("vault_"))[0].params)

    return check_params


def names(catalog: Catalog) -> list[str]:
    return [intent.name for intent in catalog.list()]


# --- which roles are intents


def test_the_shipped_roles_are_intents_without_problems() -> None:
    catalog = Catalog([ROLES])
    assert catalog.problems() == ()
    assert {"file", "packages", "python", "service", "user"} <= set(names(catalog))


def test_a_role_without_argument_specs_is_no_intent_and_no_problem(roles: Path) -> None:
    write(roles / "plain" / "tasks" / "main.yml", "[]")
    catalog = Catalog([roles])
    assert names(catalog) == ["app"]
    assert catalog.problems() == ()
    with pytest.raises(NotFoundError, match="no intent 'plain'"):
        catalog.get("plain")


def test_the_specification_may_stand_in_meta_main(tmp_path: Path) -> None:
    text = "argument_specs: {main: {options: {x: {type: int}}}}\ngalaxy_info: {description: Makes x}"
    write(tmp_path / "x" / "meta" / "main.yml", text)
    intent = Catalog([tmp_path]).get("x")
    assert intent.options == {"x": {"type": "int"}}
    assert intent.title == "Makes x"


def test_the_specification_may_have_the_other_suffix(tmp_path: Path) -> None:
    write(tmp_path / "x" / "meta" / "argument_specs.yaml", "argument_specs: {main: {short_description: Makes x}}")
    assert Catalog([tmp_path]).get("x").title == "Makes x"


def test_the_first_folder_of_the_search_path_wins(roles: Path, tmp_path: Path) -> None:
    write_role(tmp_path / "shipped" / "app", {"other": {}})
    write_role(tmp_path / "shipped" / "more", {})
    catalog = Catalog([roles, tmp_path / "shipped"])
    assert names(catalog) == ["app", "more"]
    assert catalog.role_dir("app") == roles / "app"


def test_a_role_of_the_project_hides_a_shipped_one_even_when_it_is_no_intent(roles: Path, tmp_path: Path) -> None:
    write(tmp_path / "own" / "app" / "tasks" / "main.yml", "[]")
    assert names(Catalog([tmp_path / "own", roles])) == []


def test_roles_of_collections_have_their_full_name(tmp_path: Path) -> None:
    write_role(tmp_path / "ansible_collections" / "acme" / "web" / "roles" / "site", {})
    for given in (tmp_path, tmp_path / "ansible_collections"):
        assert names(Catalog([], [given])) == ["acme.web.site"]


def test_the_first_collection_of_a_name_hides_the_others_wholly(tmp_path: Path) -> None:
    write_role(tmp_path / "a" / "ansible_collections" / "acme" / "web" / "roles" / "site", {})
    write_role(tmp_path / "b" / "ansible_collections" / "acme" / "web" / "roles" / "cache", {})
    assert names(Catalog([], [tmp_path / "a", tmp_path / "b"])) == ["acme.web.site"]


def test_a_search_path_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert Catalog([tmp_path / "nowhere"], [tmp_path / "nowhere"]).list() == []


def test_an_unknown_intent_is_refused_with_the_nearest_name(roles: Path) -> None:
    with pytest.raises(NotFoundError, match="Did you mean app"):
        Catalog([roles]).get("apps")


def test_new_changed_and_removed_roles_are_seen_without_a_restart(roles: Path) -> None:
    catalog = Catalog([roles])
    assert names(catalog) == ["app"]
    write_role(roles / "more", {})
    assert names(catalog) == ["app", "more"]
    write_role(roles / "app", {"app_name": {"description": "changed"}})
    assert catalog.get("app").options == {"app_name": {"description": "changed"}}
    shutil.rmtree(roles / "more")
    assert names(catalog) == ["app"]


def test_an_unchanged_role_is_not_read_twice(roles: Path) -> None:
    catalog = Catalog([roles])
    assert catalog.get("app") is catalog.get("app")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("argument_specs: [", "no valid YAML"),
        ("argument_specs: !!python/object/apply:os.system ['touch pwned']", "no valid YAML"),
        ("argument_specs: " + "[" * 100_000, "cannot be read"),
        ("- a list", "must hold a mapping"),
        ("argument_specs: {other: {}}", "no entry point 'main'"),
        ("argument_specs: {main: {options: [a]}}", "options must be a mapping"),
        ("argument_specs: {main: {options: {a: text}}}", "options.a must be a mapping"),
        ("argument_specs: {main: {options: {a: {type: integer}}}}", "options.a.type must be one of"),
        (
            "argument_specs: {main: {options: {a: {type: dict, options: {b: {elements: x}}}}}}",
            "options.a.options.b.ele",
        ),
        ("argument_specs: {main: {options: {a: {choices: yes}}}}", "options.a.choices must be a list"),
        ("argument_specs: {main: {options: {a-b: {}}}}", "options.a-b is no variable name"),
    ],
)
def test_a_broken_role_is_a_problem_that_names_the_file_and_does_not_break_the_others(
    roles: Path, text: str, says: str
) -> None:
    write(roles / "broken" / "meta" / "argument_specs.yml", text)
    catalog = Catalog([roles])
    assert names(catalog) == ["app"]
    (problem,) = catalog.problems()
    assert says in problem
    assert str(roles / "broken" / "meta" / "argument_specs.yml") in problem
    with pytest.raises(ProjectError, match="Intent broken cannot be used"):
        catalog.get("broken")


def test_a_file_that_is_no_text_is_a_problem(roles: Path) -> None:
    (roles / "app" / "meta" / "argument_specs.yml").write_bytes(b"\xff\xfe\x00")
    (problem,) = Catalog([roles]).problems()
    assert "argument_specs.yml cannot be read" in problem


# --- what a role says about itself


def test_defaults_are_those_that_ansible_will_use_and_never_a_secret_one(tmp_path: Path) -> None:
    defaults = "app_port: 8080\napp_token: beta\napp_home: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00\nunrelated: 1\n"
    write_role(tmp_path / "app", OPTIONS, defaults=defaults)
    assert Catalog([tmp_path]).get("app").defaults == {"app_port": 8080, "app_state": "present"}


def test_an_intent_file_adds_words(tmp_path: Path) -> None:
    write_role(tmp_path / "app", OPTIONS, intent=yaml.safe_dump({
        "title": "Run the app", "phrases": ["run app {app_name}"], "tags": ["app"], "synonyms": ["shop"],
        "undo": "Set app_state to absent.", "changes": "Files.", "platforms": ["Debian 12"], "hints": ["None."],
    }))  # fmt: skip
    intent = Catalog([tmp_path]).get("app")
    assert (intent.title, intent.phrases, intent.platforms) == ("Run the app", ("run app {app_name}",), ("Debian 12",))


def test_platforms_come_from_galaxy_info_when_the_intent_file_has_none(tmp_path: Path) -> None:
    text = "galaxy_info: {platforms: [{name: Debian, versions: [bookworm, trixie]}, {name: Fedora}]}"
    write_role(tmp_path / "app", OPTIONS, main=text)
    assert Catalog([tmp_path]).get("app").platforms == ("Debian bookworm trixie", "Fedora")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("titel: x", "unknown key titel. Known: title, "),
        ("tags: app", "tags: "),
        ("phrases: [{sentence: x}]", "phrases.0: "),
        ("phrases: ['run (app']", "'run (app' is no sentence template"),
        ("phrases: ['run {thing}']", "names {thing}, which is no param"),
        ("phrases: ['run {app_name} [on {hosts}]']", "hosts need no slot"),
        ("phrases: ['use {app_token}']", "would read app_token, a secret"),
        ("phrases: ['use {app_env}']", "cannot read app_env"),
        ("phrases: ['<run> {app_name}']", "expansion rules are not supported"),
        ("phrases: ['{gone=away:app_state} {app_name}']", "must be {WORDS=VALUE:app_state}"),
    ],
)
def test_a_wrong_intent_file_is_a_problem_that_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    write_role(tmp_path / "app", OPTIONS, intent=text)
    (problem,) = Catalog([tmp_path]).problems()
    assert says in problem
    assert str(tmp_path / "app" / "meta" / "intent.yml") in problem


# --- params


def test_params_that_fit_come_back_as_they_were_sent(check: Callable[..., dict[str, Any]]) -> None:
    params = {
        "app_version": "3.10", "app_port": 8080, "app_ratio": 1, "app_debug": True, "app_state": "absent",
        "app_home": "~/$HOME/app", "app_tags": ["a", "b"], "app_modes": ["fast"], "app_env": {"A": [1, None, "x"]},
        "app_anything": None, "app_token": "beta", "app_users": [{"name": "bob", "uid": 1001, "key": "k"}],
    }  # fmt: skip
    got = check(**params)
    assert got == {"app_name": "shop", **params}
    assert type(got["app_ratio"]) is int


@pytest.mark.parametrize(
    ("params", "says"),
    [
        (
            {"app_versoin": "1"},
            'app: "app_versoin" is no param of intent app. Did you mean app_version? Allowed: app_name',
        ),
        ({"app_version": 3.1}, 'app_version must be a string, such as "3.10": a number loses its trailing zero'),
        ({"app_home": 7}, 'app_home must be a string, not a number: send "7" in quotes'),
        ({"app_version": True}, "app_version must be a string, not true"),
        ({"app_version": None}, "app_version must be a string, not null. Leave it out"),
        ({"app_version": ["1"]}, "app_version must be a string"),
        ({"app_port": "80"}, 'app_port must be a whole number, not "80"'),
        ({"app_port": True}, "app_port must be a whole number, not true"),
        ({"app_port": 80.0}, "app_port must be a whole number"),
        ({"app_ratio": "0.5"}, "app_ratio must be a number"),
        ({"app_ratio": float("nan")}, "app_ratio must be a finite number"),
        ({"app_debug": "yes"}, 'app_debug must be true or false, not "yes"'),
        ({"app_debug": 1}, "app_debug must be true or false"),
        ({"app_tags": "a,b"}, "app_tags must be a list"),
        ({"app_tags": ["a", 1]}, "app_tags[1] must be a string"),
        ({"app_modes": ["fast", "slow"]}, 'app_modes[1] must be one of fast, safe, not "slow"'),
        ({"app_env": "A=1"}, "app_env must be an object"),
        ({"app_state": "gone"}, 'app_state must be one of present, absent, not "gone"'),
        ({"app_users": [{"uid": 1}]}, "name of app_users[0] is required"),
        ({"app_users": [{"name": "a"}, {"name": "b", "iud": 1}]}, '"iud" of app_users[1] is no key. Did you mean uid?'),
        ({"app_users": [{"name": "a", "uid": "1"}]}, "app_users[0].uid must be a whole number"),
        ({"app_users": [{"name": "a", "key": "abcdefg", "key_file": "/k"}]}, "mutually exclusive"),
    ],
)
def test_params_that_do_not_fit_are_refused_with_what_is_allowed(
    check: Callable[..., dict[str, Any]], params: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as caught:
        check(**params)
    assert says in str(caught.value)


def test_a_missing_required_param_is_named_with_its_meaning(roles: Path) -> None:
    with pytest.raises(InputError, match=r"app: app_name is required: Name of the app\."):
        Catalog([roles]).validate_steps([Step(intent="app")], lambda _: False)


def test_with_several_steps_the_message_says_which(roles: Path) -> None:
    steps = [Step(intent="app", params={"app_name": "a"}), Step(intent="app")]
    with pytest.raises(InputError, match=r"Step 2 \(app\): app_name is required"):
        Catalog([roles]).validate_steps(steps, lambda _: False)


def test_no_steps_at_all_are_refused(roles: Path) -> None:
    with pytest.raises(InputError, match="steps is empty"):
        Catalog([roles]).validate_steps([], lambda _: True)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a\x00b", "app_anything holds a NUL character"),
        ("\ud800", "app_anything holds half of a surrogate pair"),
        ("x" * (1024 * 1024 + 1), "app_anything is 1048577 bytes long"),
        ({"__ansible_unsafe": "x"}, "app_anything has a key that starts with __ansible_"),
        ([{"a": {"__ansible_vault": "x"}}], "app_anything[0].a has a key that starts with __ansible_"),
        ({"a\x00": 1}, "a key of app_anything holds a NUL character"),
        ([["x\x00"]], "app_anything[0][0] holds a NUL"),
        ([[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]], "nested more than 20 levels"),
    ],
)
def test_what_cannot_be_handed_to_ansible_as_data_is_refused(
    check: Callable[..., dict[str, Any]], value: Any, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        check(app_anything=value)
    assert says in str(caught.value)


def test_templates_in_params_are_plain_text(check: Callable[..., dict[str, Any]]) -> None:
    hostile = "{{ lookup('pipe', 'touch /tmp/pwned') }}"
    assert check(app_version=hostile, app_tags=[hostile])["app_tags"] == [hostile]


def test_no_message_repeats_a_secret_or_a_long_value(check: Callable[..., dict[str, Any]]) -> None:
    secret = "correct-horse-battery"
    wrong: list[dict[str, Any]] = [
        {"app_token": secret},
        {"app_token": [secret]},
        {"app_token": 123456789},
        {"app_users": [{"name": "a", "key": {"k": secret}}]},
        {"app_users": [{"name": "a", "key": secret, "key_file": "/k"}]},
        {"app_state": secret * 10},
        {"app_port": secret * 10},
        {secret * 10: 1},
    ]
    for params in wrong:
        with pytest.raises(InputError) as caught:
            check(**params)
        assert secret not in str(caught.value)
        assert "123456789" not in str(caught.value)


def test_a_reference_may_stand_for_a_param_and_for_any_value_inside_one(check: Callable[..., dict[str, Any]]) -> None:
    reference = {"from_var": "vault_x"}
    params: dict[str, Any] = {
        "app_name": reference, "app_port": reference, "app_token": reference, "app_tags": ["a", reference],
        "app_env": {"A": reference, "B": [reference]}, "app_users": [{"name": reference, "uid": 1}, {"name": "b"}],
    }  # fmt: skip
    assert check(**params) == params


def test_a_reference_counts_as_given_when_ansible_checks_what_goes_together(
    check: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(InputError, match=r"name of app_users\[1\] is required"):
        check(app_users=[{"name": {"from_var": "vault_x"}}, {"uid": 1}])


def test_a_reference_that_the_policy_does_not_allow_says_what_to_add_where(
    check: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(
        PolicyError, match=r'app_tags\[0\] .* adds "secret_x" to from_var under \[policy\] in intendant'
    ):
        check(app_tags=[{"from_var": "secret_x"}])


@pytest.mark.parametrize(
    "reference", [{"from_var": "a b"}, {"from_var": "vault_x", "more": 1}, {"from_var": 1}, {"from_var": "{{ x }}"}]
)
def test_a_malformed_reference_is_refused(check: Callable[..., dict[str, Any]], reference: Any) -> None:
    with pytest.raises(InputError, match="app_version: A reference has the form"):
        check(app_version=reference)


def test_a_reference_to_a_param_of_the_same_intent_would_refer_to_itself(check: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="cannot refer to app_version"):
        check(app_version={"from_var": "app_version"})


# --- JSON Schema


def test_the_schema_says_what_the_specification_says(app: Intent) -> None:
    schema = Catalog.json_schema(app)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["app_name"]
    assert schema["additionalProperties"] is False
    assert "from_var" in schema["description"]
    properties = schema["properties"]
    assert properties["app_version"] == {"type": "string", "description": "Version. In quotes."}
    assert properties["app_port"] == {"type": "integer", "default": 80}
    assert properties["app_state"] == {"type": "string", "enum": ["present", "absent"], "default": "present"}
    assert properties["app_modes"] == {"type": "array", "items": {"type": "string", "enum": ["fast", "safe"]}}
    assert properties["app_token"] == {"type": "string", "enum": ["alpha", "beta"], "writeOnly": True}
    assert properties["app_anything"] == {}
    users = properties["app_users"]["items"]
    assert users["required"] == ["name"]
    assert users["additionalProperties"] is False
    assert users["properties"]["key"] == {"type": "string", "writeOnly": True}


def test_a_default_that_is_a_template_is_no_value_and_not_shown(tmp_path: Path) -> None:
    write_role(tmp_path / "app", {"a": {}, "b": {}}, defaults='a: "{{ other }}"\nb: 2026-01-01\n')
    schema = Catalog.json_schema(Catalog([tmp_path]).get("app"))
    assert schema["properties"] == {"a": {"type": "string"}, "b": {"type": "string", "default": "2026-01-01"}}


@pytest.mark.parametrize(
    "params",
    [{"app_port": "80"}, {"app_versoin": "1"}, {"app_debug": 1}, {"app_state": "x"}, {"app_users": [{"uid": 1}]}, {}],
)
def test_schema_and_validation_agree(app: Intent, check: Callable[..., dict[str, Any]], params: dict[str, Any]) -> None:
    schema = jsonschema.Draft202012Validator(Catalog.json_schema(app))
    is_valid = schema.is_valid({"app_name": "shop", **params})
    if is_valid:
        assert check(**params)
    else:
        with pytest.raises(InputError):
            check(**params)


def test_the_schemas_of_the_shipped_roles_are_valid_and_small() -> None:
    for intent in Catalog([ROLES]).list():
        schema = Catalog.json_schema(intent)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert len(json.dumps(schema)) < 5000, intent.name
