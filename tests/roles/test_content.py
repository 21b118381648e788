"""What must hold for every role, read from its files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hassil import parse_sentence

from intendant.intents import COMMAND
from roles.running import MODULES, ROLES, ROOT

SEQUENCERS = {"ansible.builtin.import_tasks", "ansible.builtin.include_tasks", "ansible.builtin.include_role"}
KEYWORDS = {"name", "when", "loop", "vars", "register", "no_log", "delegate_to", "become", "changed_when", "check_mode"}
BLOCKS = ("block", "rescue", "always")

every_role = pytest.mark.parametrize("role", ROLES)


class _Loader(yaml.SafeLoader):
    """Safe YAML that keeps text marked as unsafe."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def options_of(role: str) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = read(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"][
        "main"
    ]["options"]
    return options


def tasks_of(role: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every task with its file; those of a block one by one, after what the block says of them all."""
    for path in sorted((ROOT / "roles" / role / "tasks").glob("*.yml")):
        for task in flatten(read(path)):
            yield path, task


def flatten(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        if "block" not in task:
            yield task
        for part in BLOCKS:
            said = {key: value for key, value in task.items() if key not in (*BLOCKS, "when")}
            yield from ({**said, **inner} for inner in flatten(task.get(part, [])))


def secrets_of(options: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Options at the top that are secret or hold something secret."""
    for name, option in options.items():
        if option.get("no_log") or any(secrets_of(option.get("options", {}))):
            yield name


@every_role
def test_every_option_says_what_it_is(role: str) -> None:
    for name, option in options_of(role).items():
        assert name.startswith(f"{role}_"), name
        assert option.get("type"), name
        assert option.get("description"), name
        assert option["type"] != "list" or option.get("elements"), name


@every_role
def test_defaults_and_specification_name_the_same_options_with_the_same_values(role: str) -> None:
    defaults = read(ROOT / "roles" / role / "defaults" / "main.yml")
    optional = {name: option.get("default") for name, option in options_of(role).items() if not option.get("required")}
    assert defaults == optional


@every_role
def test_a_default_is_one_of_the_choices(role: str) -> None:
    for name, option in options_of(role).items():
        if "choices" in option and not option.get("required"):
            assert option.get("default") in option["choices"], name


@every_role
def test_main_only_says_in_which_order_things_happen(role: str) -> None:
    for task in read(ROOT / "roles" / role / "tasks" / "main.yml"):
        assert set(task) - KEYWORDS <= SEQUENCERS, task["name"]


@every_role
def test_tasks_hide_nothing_from_check_mode(role: str) -> None:
    for path, task in tasks_of(role):
        text = str(task)
        assert "ansible_check_mode" not in text, path
        assert "ignore_errors" not in text, path
        if task.get("check_mode") is False:
            assert task.get("changed_when") is False, path


@every_role
def test_tasks_name_their_modules_in_full_and_run_no_shell(role: str) -> None:
    for path, task in tasks_of(role):
        (module,) = set(task) - KEYWORDS - {"loop_control", "failed_when", "args"}
        assert module.startswith(("ansible.builtin.", "ansible.legacy.")), f"{path}: {module}"
        assert module.rpartition(".")[2] not in {"shell", "raw", "script", "expect"}, path
        if module == "ansible.builtin.command":
            # What a command changes cannot be predicted; one that only reads is as good as a module, without a shell.
            assert (task.get("check_mode"), task.get("changed_when")) == (False, False), f"{path}: {task['name']}"
            assert set(task[module]) <= {"argv", "chdir", "stdin"}, f"{path}: {task['name']}"
        if module.startswith("ansible.legacy."):
            assert (MODULES / f"{module.rpartition('.')[2]}.py").is_file(), module


@every_role
def test_registered_variables_start_with_two_underscores_and_the_role(role: str) -> None:
    for _path, task in tasks_of(role):
        if "register" in task:
            assert task["register"].startswith(f"__{role}_")
        for name in task.get("ansible.builtin.set_fact", {}):
            assert name.startswith(f"_{role}_")


@every_role
def test_secrets_are_passed_by_tasks_that_show_nothing(role: str) -> None:
    secrets = list(secrets_of(options_of(role)))
    for path, task in tasks_of(role):
        arguments = {key: value for key, value in task.items() if key != "when"}
        # What an assertion looks at is not in its result, what it says is.
        arguments |= {
            "ansible.builtin.assert": task.get("ansible.builtin.assert", {}).get("fail_msg", "").split("{{")[1:]
        }
        if any(re.search(rf"\b{name}\b", str(arguments)) for name in secrets):
            assert task.get("no_log") is True, f"{path}: {task['name']}"


@every_role
def test_phrases_are_sentence_templates(role: str) -> None:
    phrases = read(ROOT / "roles" / role / "meta" / "intent.yml")["phrases"]
    assert phrases or role == COMMAND, "words could not lead to it"
    for phrase in phrases:
        parse_sentence(phrase)


@every_role
def test_the_readme_names_every_param_and_says_what_is_not_tested(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert [name for name in options_of(role) if f"`{name}`" not in text] == []
    assert "not tested" in text


@every_role
def test_each_role_has_a_playbook_and_a_scenario(role: str) -> None:
    [play] = read(ROOT / "playbooks" / f"{role}.yml")
    assert (play["hosts"], play["become"], play["roles"]) == ("all", True, [{"role": role, "tags": [role]}])
    assert f"[{role}.yml]({role}.yml) | {play['name']} | `{role}` |" in (ROOT / "playbooks" / "README.md").read_text()
    scenario = ROOT / "molecule" / role
    assert {path.name for path in scenario.iterdir()} >= {"molecule.yml", "converge.yml", "verify.yml"}


def test_the_playbook_for_all_has_every_role_that_can_be_described_with_its_tag() -> None:
    [play] = read(ROOT / "playbooks" / "site.yml")
    included = []
    for task in play["tasks"]:
        call = task["ansible.builtin.include_role"]
        assert task["tags"] == call["apply"]["tags"] == [call["name"]]
        required = [name for name, option in options_of(call["name"]).items() if option.get("required")]
        any_of_it = f"query('ansible.builtin.varnames', '^{call['name']}_') | length > 0"
        assert task["when"] == (f"{required[0]} is defined" if required else any_of_it)
        included.append(call["name"])
    assert sorted(included) == sorted(set(ROLES) - {COMMAND})


@pytest.mark.parametrize("path", sorted(MODULES.glob("*.py")), ids=lambda path: path.stem)
def test_every_module_documents_the_arguments_it_takes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    blocks = {name: yaml.safe_load(body) for name, body in re.findall(r'^([A-Z]+) = r"""\n(.*?)"""', text, re.M | re.S)}
    assert blocks["DOCUMENTATION"]["module"] == path.stem
    assert blocks["EXAMPLES"]
    assert "RETURN" in blocks
    taken = re.findall(r'^            "(\w+)": \{"type"', text, re.M)
    assert sorted(blocks["DOCUMENTATION"]["options"]) == sorted(taken)
    assert "supports_check_mode=True" in text
