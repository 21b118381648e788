"""Results of tasks become changes and blind spots."""

from typing import Any

import pytest

from intendant.plans import Change
from intendant.runner.base import TaskResult
from intendant.runner.changes import find_blind_spot, find_change, find_unchained


def result(**values: Any) -> TaskResult:
    known: dict[str, Any] = {
        "host": "web1", "step": 2, "role": "app", "task": "Do it",
        "module": "ansible.builtin.copy", "status": "changed",
    }  # fmt: skip
    return TaskResult(**{**known, **values})


def change_of(**values: Any) -> Any:
    change = find_change(result(**values))
    assert change is not None
    return change


def diff(before: Any, after: Any) -> tuple[dict[str, Any], ...]:
    return ({"before": before, "after": after},)


@pytest.mark.parametrize("status", ["ok", "failed", "unreachable", "skipped"])
def test_only_what_changed_is_a_change(status: str) -> None:
    assert find_change(result(status=status, diff=diff("", "x"))) is None


def test_a_change_says_which_step_role_task_and_module_it_comes_from() -> None:
    change = change_of()
    assert (change.step, change.role, change.task, change.module) == (2, "app", "Do it", "ansible.builtin.copy")


@pytest.mark.parametrize(
    ("args", "item", "target"),
    [
        ({"dest": "/etc/motd", "src": "motd"}, "", "/etc/motd"),
        ({"path": "/a", "name": "b"}, "", "/a"),
        ({"name": "nginx", "state": "started"}, "", "nginx"),
        ({"name": ["a", "b"]}, "", "a, b"),
        ({"name": 22}, "", "22"),
        ({"name": "", "pkg": []}, "", "Do it"),
        ({}, "tree", "tree"),
        ({}, "", "Do it"),
        ({"path": "/" + "x" * 600}, "", "/" + "x" * 499),
    ],
)
def test_the_target_is_what_the_arguments_name_else_the_item_else_the_task(
    args: dict[str, Any], item: str, target: str
) -> None:
    assert change_of(args=args, item=item).target == target


@pytest.mark.parametrize(
    ("module", "args", "parts", "action"),
    [
        ("copy", {"dest": "/a"}, diff("", "new\n"), "create"),
        ("copy", {"dest": "/a"}, diff("old\n", "new\n"), "update"),
        ("copy", {"dest": "/a"}, diff("old\n", ""), "delete"),
        ("file", {"path": "/a", "state": "absent"}, diff({"state": "directory"}, {"state": "absent"}), "delete"),
        ("file", {"path": "/a"}, diff({"state": "absent"}, {"state": "directory"}), "create"),
        ("file", {"path": "/a"}, diff({"mode": "0644"}, {"mode": "0600"}), "update"),
        ("apt", {"name": ["a"], "state": "absent"}, (), "delete"),
        ("user", {"name": "a"}, (), "update"),
        ("ansible.builtin.command", {}, (), "run"),
        ("ansible.builtin.shell", {}, diff("", "x"), "run"),
        ("intendant.core.converge", {}, diff("", "x"), "run"),
        ("service", {"name": "a", "state": "started"}, (), "update"),
        ("unit", {"name": "a", "state": "restarted"}, diff("active: yes", "active: yes (restarted)"), "run"),
        ("ansible.builtin.systemd_service", {"name": "a", "state": "reloaded"}, (), "run"),
        ("unit", {"name": "a", "state": "stopped"}, diff("active: yes", "active: no"), "update"),
    ],
)
def test_the_action_follows_from_module_state_and_diff(
    module: str, args: dict[str, Any], parts: tuple[dict[str, Any], ...], action: str
) -> None:
    assert change_of(module=module, args=args, diff=parts).action == action


def test_before_and_after_are_kept_as_text() -> None:
    change = change_of(diff=diff("old\n", "new\n"))
    assert (change.before, change.after) == ("old\n", "new\n")
    assert change.diff.splitlines()[2:] == ["@@ -1 +1 @@", "-old", "+new"]


def test_objects_in_a_diff_become_json_in_a_stable_order() -> None:
    change = change_of(diff=diff({"b": 1, "a": "ü"}, {}))
    assert change.before == '{\n  "a": "ü",\n  "b": 1\n}\n'
    assert change.after == "{}\n"


def test_several_parts_of_a_diff_follow_each_other() -> None:
    parts = ({"before": "a\n", "after": "b\n"}, {"before": "", "after": "mode: 0644\n"})
    assert (change_of(diff=parts).before, change_of(diff=parts).after) == ("a\n", "b\nmode: 0644\n")


def test_a_prepared_diff_is_shown_as_what_comes_out() -> None:
    change = change_of(diff=({"prepared": "+ package"},))
    assert (change.before, change.after) == (
        None, "+ package",
    )  # fmt: skip


def test_a_module_without_a_diff_has_none() -> None:
    change = change_of(diff=())
    assert (change.before, change.after, change.diff) == (None, None, "")


@pytest.mark.parametrize("values", [{"hidden": True}, {"diff": diff("", "password = (sensitive)\n")}])
def test_a_change_with_something_hidden_or_masked_is_sensitive(values: dict[str, Any]) -> None:
    assert change_of(**values).sensitive is True
    assert change_of(diff=diff("", "plain")).sensitive is False


def test_a_hidden_change_shows_a_word_for_its_diff() -> None:
    assert change_of(hidden=True).diff == "(sensitive)"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"message": "remote module (win_ping) does not support check mode"}, "cannot predict"),
        (
            {"message": "Command would have run if not in check mode", "module": "ansible.builtin.command"},
            "command cannot",
        ),
        (
            {"skip_reason": "Conditional result was False not ansible_check_mode"},
            "the role skips this task in check mode",
        ),
        ({"status": "failed", "ignored": True, "message": "no such unit"}, "ignores"),
    ],
)
def test_what_check_mode_could_not_predict_is_a_blind_spot(values: dict[str, Any], words: str) -> None:
    spot = find_blind_spot(result(**{"status": "skipped", **values}))
    assert spot is not None
    assert (spot.step, spot.task) == (2, "Do it")
    assert words in spot.reason


@pytest.mark.parametrize(
    "values",
    [
        {"status": "skipped", "skip_reason": "Conditional result was False user_password is not none"},
        {"status": "ok", "message": "check mode"},
        {"status": "changed", "message": "would have run if not in check mode"},
        {"status": "failed", "message": "broken"},
    ],
)
def test_other_results_are_none(values: dict[str, Any]) -> None:
    assert find_blind_spot(result(**values)) is None


def test_a_blind_item_of_a_loop_belongs_to_its_task_and_is_named() -> None:
    spot = find_blind_spot(result(status="skipped", item="web.conf", message="does not support check mode"))
    assert spot is not None
    assert spot.task == "Do it"  # so that it explains the changes of its task
    assert "web.conf" in spot.reason


def test_without_telling_arguments_the_head_of_the_diff_names_the_target() -> None:
    headed = ({"before": "", "after": "x", "before_header": "Python 3.12", "after_header": "Python 3.12"},)
    assert change_of(diff=headed).target == "Python 3.12"


def edit(step: int, before: str | None, after: str | None, **values: Any) -> Change:
    known = {"role": "app", "task": "Write it", "module": "managed_file", "target": "/etc/app.conf", "action": "update"}
    return Change(**{**known, "step": step, "before": before, "after": after, **values})


def test_a_later_step_that_was_predicted_without_an_earlier_one_is_a_blind_spot_that_names_both() -> None:
    spots = find_unchained([edit(1, "a\n", "a\nb\n"), edit(2, "a\n", "a\nc\n", task="Add c")])
    assert [(spot.step, spot.task) for spot in spots] == [(2, "Add c")]
    assert spots[0].reason == "step 1 changes /etc/app.conf too, and check mode shows this step without it"


@pytest.mark.parametrize(
    "changes",
    [
        [edit(1, "a\n", "a\nb\n"), edit(2, "a\nb\n", "a\nb\nc\n")],
        [edit(1, "", "mode: 0644\na\n"), edit(2, "a\n", "b\n")],
        [edit(1, "", "a\n"), edit(2, "mode: 0644\n", "mode: 0600\n"), edit(3, "a\n", "b\n")],
        [edit(1, "", "a\n"), edit(2, '{\n"mode": "0", "path": "/etc/app.conf"}', '{\n"mode": "1"}', module="file")],
        [edit(1, "a\n", "b\n"), edit(1, "a\n", "c\n")],
        [edit(1, "a\n", "b\n"), edit(2, "a\n", "b\n", target="/etc/other.conf")],
        [edit(1, None, None), edit(2, None, None)],
        [edit(1, "(sensitive)\n", "(sensitive, changed)\n"), edit(2, "(sensitive)\n", "(sensitive, changed)\n")],
        [edit(1, "off\n", "on\n", target="key"), edit(2, "off\n", "on\n", target="key", task="Another")],
        [edit(1, "off\n", "on\n", module="unit"), edit(2, "off\n", "on\n", module="unit")],
    ],
    ids=[
        "follows",
        "permissions first",
        "permissions only",
        "attributes",
        "one step",
        "two files",
        "no diff",
        "secret",
        "two tasks",
        "service",
    ],
)
def test_steps_that_follow_each_other_or_have_nothing_in_common_are_no_blind_spot(changes: list[Change]) -> None:
    assert find_unchained(changes) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (edit(1, "", "a\n"), edit(2, "", "b\n")),
        (edit(1, "a\n", ""), edit(2, "a\n", "b\n")),
        (edit(1, "", "(sensitive, changed)\n"), edit(2, "", "(sensitive, changed)\n")),
        (edit(1, "off\n", "on\n", target="key"), edit(2, "off\n", "on\n", target="key")),
        (edit(1, "", "mode: 0644\na\n"), edit(2, "", "mode: 0600\n")),
        (edit(1, "a\n", "b\n"), edit(2, "a\n", "c\n", module="config_line", role="other")),
    ],
    ids=["new file", "deleted file", "secret", "no file", "not there in check mode", "another role"],
)
def test_what_does_not_start_from_what_an_earlier_step_leaves_is_a_blind_spot(first: Change, second: Change) -> None:
    assert [spot.step for spot in find_unchained([first, second])] == [2]


def test_a_step_that_follows_the_last_certain_one_is_no_blind_spot_itself() -> None:
    changes = [edit(1, "", "a\n"), edit(2, "", "b\n"), edit(3, "a\n", "a\nc\n")]
    assert [spot.step for spot in find_unchained(changes)] == [2]
