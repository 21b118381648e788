"""Results are bounded, and paging reaches everything that was left out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intendant.errors import InputError, NotFoundError
from intendant.intents import Intent
from intendant.inventory import HostEntry, InventoryView
from intendant.plans import Bindings, BlindSpot, Change, HostPlan, Plan
from intendant.runs import Deviation, HostRun, Run
from intendant.store import HistoryEntry
from intendant.tools.base import answer
from intendant.tools.plans import answer_plan
from intendant.views.json import build_history, build_hosts, build_intent, build_run, count_bytes, to_json
from intendant.views.pages import Detail, build_plan

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
BINDINGS = Bindings(content={}, params="", hosts=(), variables={}, ansible_core="2.19.14")


def make_change(number: int, before: str | None, after: str | None) -> Change:
    return Change(
        step=1,
        role="python",
        task=f"Install what the interpreter needs, part {number}",
        module="ansible.builtin.copy",
        target=f"/opt/python/3.12/part-{number}",
        action="update",
        before=before,
        after=after,
    )


def make_plan(hosts: tuple[HostPlan, ...]) -> Plan:
    plan = Plan(
        id="plan-0123456789ab",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
        pattern="all",
        steps=(),
        hosts=hosts,
        bindings=BINDINGS,
        approval_reason="the policy of web-01.example.org, web-02.example.org asks for a person's approval",
        approval_channels=("elicitation", "terminal"),
        tasks=12,
    )
    return plan.model_copy(update={"digest": plan.compute_digest()})


def lines(number: int, word: str) -> str:
    return "".join(f"{word} {line}\n" for line in range(number))


def test_one_change_set_on_50_hosts_takes_less_than_6000_bytes() -> None:
    changes = tuple(make_change(n, lines(8, "old setting"), lines(9, "new setting")) for n in range(8))
    hosts = tuple(HostPlan(host=f"web-{n:02}.example.org", changes=changes) for n in range(50))
    result = answer_plan(make_plan(hosts), "pending")
    sent = result.model_dump_json(by_alias=True, exclude_none=True)
    assert len(sent.encode()) < 6_000
    shown = result.structured_content
    assert shown is not None
    assert len(shown["groups"]) == 1
    assert shown["groups"][0]["hosts"] == [host.host for host in hosts]
    assert len(shown["groups"][0]["changes"]) == 8
    assert shown["counts"] == {"create": 0, "update": 400, "delete": 0, "run": 0}
    assert all(change["diff"] for change in shown["groups"][0]["changes"])


def test_short_diffs_stay_whole_beside_a_long_one() -> None:
    host = HostPlan(host="web1", changes=(make_change(1, "a\n", "b\n"), make_change(2, None, lines(900, "line"))))
    shown = build_plan(make_plan((host,)), "pending").groups[0].changes
    assert shown[0].diff == "@@ -1 +1 @@\n-a\n+b"
    assert shown[1].diff.endswith("characters)")


def test_a_result_has_every_field_of_the_contract() -> None:
    plan = make_plan((HostPlan(host="web1", changes=(make_change(1, "a", "b"),)),))
    sent = to_json(build_plan(plan, "pending"))
    assert sent["plan_id"] == plan.id
    assert sent["digest"] == plan.digest
    assert (sent["status"], sent["complete"], sent["applyable"], sent["errored"]) == ("pending", True, True, False)
    assert sent["expires_at"] == "2026-11-03T12:30:00+00:00"
    [group] = sent["groups"]
    assert group["error"] is None
    assert group["blind_spots"] == []
    assert group["changes"][0].keys() == {"step", "role", "task", "module", "target", "action", "diff"}
    assert sent["approval"]["required"] is True
    assert sent["approval"]["channels"] == ["elicitation", "terminal"]
    assert "apply_plan" in sent["next"]


def test_what_could_not_be_predicted_is_in_the_result_and_in_what_to_say() -> None:
    spot = BlindSpot(step=1, task="Run the installer", reason="a command cannot be predicted")
    plan = make_plan((HostPlan(host="web1", blind_spots=(spot,)), HostPlan(host="web2", error="No route to host")))
    sent = to_json(build_plan(plan, "pending"))
    assert (sent["complete"], sent["errored"]) == (False, True)
    assert sent["groups"][0]["blind_spots"] == [{"task": spot.task, "reason": spot.reason}]
    assert sent["groups"][1] == {"hosts": ["web2"], "changes": [], "blind_spots": [], "error": "No route to host"}
    assert "could not be predicted" in sent["next"]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(min_value=0, max_value=1500), max_size=30),
    hosts=st.integers(min_value=1, max_value=200),
    detail=st.sampled_from(["concise", "full"]),
)
def test_pages_show_every_change_once_and_in_order(sizes: list[int], hosts: int, detail: Detail) -> None:
    changes = tuple(make_change(n, "", lines(size, "päth")) for n, size in enumerate(sizes))
    names = [f"h{n}" for n in range(hosts)]
    plan = make_plan(tuple(HostPlan(host=name, changes=changes) for name in names))
    seen: dict[str, str] = {}
    listed: list[str] = []
    cursor = ""
    while True:
        page = build_plan(plan, "pending", cursor=cursor, detail=detail)
        assert count_bytes(to_json(page)) < 10_000
        for group in page.groups:
            listed += [name for name in group.hosts if name not in listed]
            for change in group.changes:
                seen[change.target] = seen.get(change.target, "") + change.diff
        if not (cursor := to_json(page).get("next_cursor", "")):
            break
    assert list(seen) == [change.target for change in changes]
    assert listed == names
    if detail == "full":
        assert list(seen.values()) == [change.diff for change in changes]


def test_one_host_can_be_picked_out() -> None:
    plan = make_plan(tuple(HostPlan(host=f"h{n}", changes=(make_change(n, "", "x"),)) for n in range(3)))
    [group] = build_plan(plan, "pending", host="h1").groups
    assert group.hosts == ["h1"]
    with pytest.raises(NotFoundError, match=r"no host 'h9'.*h1"):
        build_plan(plan, "pending", host="h9")


@pytest.mark.parametrize("cursor", ["x", "-1", "99", "0.5", "1.2.3", "1e3", "٣", "9" * 20])
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(InputError, match="next_cursor"):
        build_plan(make_plan((HostPlan(host="web1", changes=(make_change(1, "", "x"),)),)), "pending", cursor=cursor)


def make_run(**values: Any) -> Run:
    return Run(id="run-1", plan_id="plan-1", created_at=NOW, **{"status": "succeeded", "as_planned": True, **values})


def test_a_run_shows_failed_hosts_first_and_pages_the_rest() -> None:
    hosts = [HostRun(host=f"h{n:03}", status="ok") for n in range(300)]
    bad = HostRun(host="z", status="failed", failed_task="Install", message="No package matching 'x' is available")
    run = make_run(status="partial", as_planned=False, hosts=(*hosts, bad))
    names, start, pages = [], 0, 0
    while True:
        page = to_json(build_run(run, start=start))
        assert count_bytes(page) < 10_000
        names += [host["host"] for host in page["hosts"]]
        pages += 1
        if "next_cursor" not in page:
            break
        start = int(page["next_cursor"])
    assert names == ["z", *(host.host for host in hosts)]
    assert pages > 1
    first = to_json(build_run(run))["hosts"][0]
    expected = {"host": "z", "status": "failed", "changed": 0, "failed_task": "Install"}
    assert first == {**expected, "message": "No package matching 'x' is available"}


def test_many_deviations_are_cut_and_counted() -> None:
    deviations = tuple(Deviation(host="h", kind="unplanned", task=f"t{n}", target="x") for n in range(100))
    sent = to_json(build_run(make_run(as_planned=False, deviations=deviations)))
    assert len(sent["deviations"]) + sent["more_deviations"] == 100
    assert "deviations" in sent["next"]


def test_a_run_that_goes_on_says_how_far_it_is_and_what_to_call() -> None:
    run = make_run(status="running", as_planned=None, current_task="Unpack", tasks_done=3, tasks_expected=8)
    sent = to_json(build_run(run))
    assert sent["as_planned"] is None
    assert sent["progress"] == {"task": "Unpack", "done": 3, "expected": 8}
    assert "get_run(run_id='run-1'" in sent["next"]


def test_the_history_stays_short_whatever_was_asked() -> None:
    hosts = tuple(f"web-{n:03}.example.org" for n in range(200))
    entries = [
        HistoryEntry(
            kind="plan", id=f"plan-{n}", plan_id=f"plan-{n}", at=NOW, status="pending", summary="x" * 5000, hosts=hosts
        )
        for n in range(25)
    ]
    sent = answer(build_history(entries, "")).model_dump_json(by_alias=True)
    assert len(sent.encode()) < 25_000


def test_an_intent_with_very_many_params_stays_readable() -> None:
    names = [f"web_setting_number_{n}" for n in range(60)]
    properties = {name: {"type": "string", "description": "what it is for, at length. " * 20} for name in names}
    intent = Intent(name="web", title="Web", path="/x", options={name: {"type": "str"} for name in names})
    result = build_intent(intent, {"type": "object", "properties": properties})
    assert list(result.params["properties"]) == names
    assert count_bytes(to_json(result)) < 12_000


def test_variables_of_hosts_are_never_shown() -> None:
    entry = HostEntry(
        name="web1",
        groups=("web",),
        address="192.0.2.7",
        user="admin",
        port=2222,
        connection="ssh",
        variables={"ansible_become_password": "canary-7351"},
    )
    view = InventoryView(hosts={"web1": entry}, groups={"all": ("web1",), "web": ("web1",)})
    sent = to_json(build_hosts(view, {"web1": make_run(ended_at=NOW)}))
    assert "canary" not in json.dumps(sent)
    last = {"run_id": "run-1", "status": "succeeded", "at": "2026-11-03T12:00:00+00:00"}
    shown = {"name": "web1", "groups": ["web"], "address": "192.0.2.7", "user": "admin", "connection": "ssh"}
    assert sent["hosts"] == [{**shown, "port": 2222, "last_run": last}]
    assert sent["groups"] == {"all": 1, "web": 1}
    assert sent["next_cursor"] == ""


def test_hosts_are_paged() -> None:
    entries = {
        f"h{n:03}": HostEntry(
            name=f"h{n:03}", groups=(), address="a" * 50, user="u", port=None, connection="ssh", variables={}
        )
        for n in range(100)
    }
    view = InventoryView(hosts=entries, groups={})
    names: list[str] = []
    while True:
        page = build_hosts(view, {}, start=len(names))
        names += [host.name for host in page.hosts]
        assert count_bytes(to_json(page)) < 10_000
        if not page.next_cursor:
            break
        assert page.next_cursor == str(len(names))
    assert names == list(entries)
