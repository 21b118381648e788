"""The store's history: pages that hold everything once, of one host or of all."""

from datetime import datetime, timedelta

import pytest

from intendant.errors import InputError
from intendant.intents import Step
from intendant.plans import CONTROLLER, HostPlan
from intendant.store import Store
from unit.samples import AT, make_change, make_plan
from unit.stored import add_approval, add_plan, new_run


def fill_history(store: Store) -> list[str]:
    """Entries of all kinds, many of them of the same moment; the ids, newest first."""
    entries: list[tuple[datetime, str]] = []
    for number in range(7):
        at = AT + timedelta(seconds=number // 3)
        plan = add_plan(store, f"plan-{number}", f"web{number % 2}", at=at)
        approval = add_approval(store, plan, f"approval-{number}", at=at)
        run = new_run(plan, f"run-{number}", at=at)
        store.start_run(run, approval, [f"web{number % 2}"])
        store.save_run(run.model_copy(update={"status": "succeeded"}))
        entries += [(at, plan.id), (at, approval.id), (at, run.id)]
    return [name for _, name in sorted(entries, reverse=True)]


@pytest.mark.parametrize("limit", [1, 2, 5, 20, 21, 50])
def test_pages_of_the_history_hold_everything_once_and_in_order(limit: int, store: Store) -> None:
    expected = fill_history(store)
    found: list[str] = []
    cursor, pages = "", 0
    while True:
        entries, cursor = store.list_history(limit=limit, cursor=cursor)
        found += [entry.id for entry in entries]
        pages += 1
        if not cursor:
            break
        assert len(entries) == limit
    assert found == expected
    assert pages == -(-len(expected) // limit)


def test_what_comes_in_between_two_pages_is_not_mixed_in(store: Store) -> None:
    expected = fill_history(store)
    first, cursor = store.list_history(limit=4)
    add_plan(store, "plan-new", "web1", at=AT + timedelta(hours=1))
    second, _ = store.list_history(limit=4, cursor=cursor)
    assert [entry.id for entry in (*first, *second)] == expected[:8]


def test_the_history_of_a_host_holds_its_plans_approvals_and_runs_only(store: Store) -> None:
    fill_history(store)
    entries, cursor = store.list_history(host="web1")
    assert ({entry.plan_id for entry in entries}, cursor) == ({"plan-1", "plan-3", "plan-5"}, "")
    assert len(entries) == 9


def test_the_history_of_a_host_holds_the_edits_of_its_inventory_entry(store: Store) -> None:
    for number, (kind, name) in enumerate([("inventory", "web1"), ("inventory", "web2"), ("hosts", "web1")]):
        steps = (Step(intent="add_host" if kind == "inventory" else "thing", params={"name": name}),)
        hosts = (HostPlan(host=CONTROLLER, changes=(make_change(),)),)
        plan = make_plan(*hosts, id=f"plan-{number}", kind=kind, steps=steps, pattern=CONTROLLER)
        store.add_plan(plan)
        add_approval(store, plan, f"approval-{number}")
    assert {entry.id for entry in store.list_history(host="web1")[0]} == {"plan-0", "approval-0"}
    assert {entry.plan_id for entry in store.list_history(host=CONTROLLER)[0]} == {"plan-0", "plan-1", "plan-2"}


@pytest.mark.parametrize("cursor", ["x", "não", "AAAA", "bm90IGEgZGF0ZQ==", "MjAyNg"])
def test_a_made_up_cursor_is_an_error_that_says_what_to_do(cursor: str, store: Store) -> None:
    with pytest.raises(InputError, match="Leave it out for the first page"):
        store.list_history(cursor=cursor)


def test_the_last_run_of_each_host_is_the_newest(store: Store) -> None:
    fill_history(store)
    assert {host: run.id for host, run in store.last_runs().items()} == {"web0": "run-6", "web1": "run-5"}
