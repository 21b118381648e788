import pytest

from intendant.errors import InputError
from intendant.intents import referenced_variable
from intendant.plans import Bindings, BlindSpot, HostPlan, Plan, explain_drift, group_hosts
from intendant.runs import HostRun, conclude_status, find_deviations
from unit.samples import make_change, make_plan


def one(*changes: object, **fields: object) -> HostPlan:
    return HostPlan.model_validate({"host": "web1", "changes": changes, **fields})


def test_a_plan_without_failures_and_blind_spots_is_complete() -> None:
    assert make_plan(one(make_change())).complete
    assert not make_plan(one(blind_spots=(BlindSpot(step=1, task="t", reason="r"),))).complete
    assert not make_plan(one(error="unreachable")).complete


def test_a_plan_with_only_failed_hosts_cannot_be_applied() -> None:
    assert not make_plan(one(make_change(), error="unreachable")).applyable


def test_a_plan_with_nothing_but_blind_spots_can_be_applied() -> None:
    assert make_plan(one(blind_spots=(BlindSpot(step=1, task="t", reason="r"),))).applyable


def test_an_empty_plan_has_nothing_to_apply() -> None:
    assert not make_plan(one()).applyable


def test_deletions_and_blind_spots_make_a_plan_destructive() -> None:
    assert make_plan(one(make_change("delete"))).destructive
    assert make_plan(one(blind_spots=(BlindSpot(step=1, task="t", reason="r"),))).destructive
    assert not make_plan(one(make_change("create"), make_change("run"))).destructive


@pytest.mark.parametrize(
    "update",
    [
        {"hosts": (one(make_change(after="other\n")),)},
        {"hosts": ()},
        {"pattern": "db"},
        {"steps": ()},
        {"bindings": Bindings(content={}, params="1", hosts=("web1",), variables={"web1": {}}, ansible_core="2.19")},
    ],
)
def test_the_digest_moves_with_everything_that_decides_the_outcome(update: dict[str, object]) -> None:
    plan = make_plan(one(make_change()))
    assert plan.model_copy(update=update).compute_digest() != plan.compute_digest()


def test_the_digest_is_the_same_after_a_round_trip_through_json() -> None:
    plan = make_plan(one(make_change()))
    assert Plan.model_validate_json(plan.model_dump_json()).compute_digest() == plan.compute_digest()


def test_hosts_with_identical_changes_form_one_group() -> None:
    hosts = tuple(HostPlan(host=f"web{n}", changes=(make_change(),)) for n in range(3))
    groups = group_hosts((*hosts, HostPlan(host="odd")))
    assert [group.hosts for group in groups] == [("web0", "web1", "web2"), ("odd",)]


def test_drift_names_each_thing_that_moved() -> None:
    old = Bindings(
        content={"roles/a": "1", "roles/b": "1"}, params="p", hosts=("h1", "h2"),
        variables={"h1": {"x": "1"}, "h2": {}}, ansible_core="2.19.0",
    )  # fmt: skip
    new = Bindings(
        content={"roles/a": "2", "roles/c": "1"}, params="q", hosts=("h1", "h3"),
        variables={"h1": {"x": "2", "y": "1"}, "h3": {}}, ansible_core="2.20.0",
    )  # fmt: skip
    assert explain_drift(old, new) == [
        "roles/a changed",
        "roles/b was removed",
        "roles/c was added",
        "host h2 no longer matches",
        "host h3 now matches too",
        "variable x of h1 changed",
        "variable y of h1 was added",
        "ansible-core is 2.20.0, was 2.19.0",
        "the plan's stored copy was altered",
    ]
    assert explain_drift(old, old) == []


def test_a_diff_shows_both_sides_and_withheld_ones_say_so() -> None:
    assert "+hello" in make_change().diff
    assert make_change(before=None, after=None, sensitive=True).diff == "(sensitive)"
    assert make_change(before=None, after=None).diff == ""


def done(*changes: object) -> HostRun:
    return HostRun.model_validate({"host": "web1", "status": "changed", "changes": changes})


def test_a_run_that_did_what_was_planned_has_no_deviations() -> None:
    assert find_deviations(one(make_change()), done(make_change())) == []


def test_what_was_planned_and_not_done_is_a_deviation() -> None:
    assert [found.kind for found in find_deviations(one(make_change()), done())] == ["missing"]


def test_what_was_done_and_not_planned_is_a_deviation() -> None:
    assert [found.kind for found in find_deviations(one(), done(make_change()))] == ["unplanned"]


def test_the_same_task_with_other_content_is_a_deviation() -> None:
    found = find_deviations(one(make_change()), done(make_change(after="other\n")))
    assert [item.kind for item in found] == ["different"]


def test_the_same_change_done_twice_is_a_deviation() -> None:
    assert [item.kind for item in find_deviations(one(make_change()), done(make_change(), make_change()))] == [
        "unplanned"
    ]


def test_a_blind_spot_explains_what_its_task_did() -> None:
    blind = one(blind_spots=(BlindSpot(step=1, task="Write the file", reason="r"),))
    assert find_deviations(blind, done(make_change())) == []


def test_a_run_is_partial_when_only_some_hosts_failed() -> None:
    good, bad = HostRun(host="a", status="changed"), HostRun(host="b", status="unreachable")
    assert conclude_status([good]) == "succeeded"
    assert conclude_status([good, bad]) == "partial"
    assert conclude_status([bad]) == "failed"


def test_a_reference_to_a_variable_has_one_exact_form() -> None:
    assert referenced_variable({"from_var": "vault_x"}) == "vault_x"
    assert referenced_variable("vault_x") is None
    for wrong in ({"from_var": "a b"}, {"from_var": "x", "y": 1}, {"from_var": 1}, {"from_var": "{{ x }}"}):
        with pytest.raises(InputError, match="from_var"):
            referenced_variable(wrong)  # type: ignore[arg-type]  # what a model may send


def test_a_missing_last_line_feed_and_other_line_endings_are_visible_in_a_diff() -> None:
    assert "\\ No newline at end of file" in make_change(before="a\n", after="a").diff
    assert "+a\r" in make_change(before="a\n", after="a\r\n").diff


def test_a_target_cannot_forge_lines_of_a_diff() -> None:
    diff = make_change(target="/x\n+root ALL=(ALL) ALL").diff
    assert "\n+root" not in diff


def test_what_a_blind_task_was_assumed_to_do_may_turn_out_otherwise() -> None:
    blind = one(make_change(), blind_spots=(BlindSpot(step=1, task="Write the file", reason="assumed"),))
    assert find_deviations(blind, done()) == []
    assert find_deviations(blind, done(make_change(after="other\n"))) == []
