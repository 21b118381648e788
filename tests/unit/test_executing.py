"""What stands between a plan and its run, with a scripted runner in place of hosts."""

from datetime import timedelta

import pytest

from intendant.app import open_app
from intendant.approvals import Approval, Channel
from intendant.errors import ApprovalNeeded, BusyError, PolicyError, RefusedError, StaleError, UsedError
from intendant.runner.fake import FakeRunner
from unit.desks import STEP, DeskOf
from unit.projects import changed


def test_a_plan_is_good_until_thirty_minutes_have_passed(desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.moment = desk.plan.created_at + timedelta(minutes=30)
    with pytest.raises(StaleError, match="it expired at"):
        desk.start()
    desk.moment -= timedelta(microseconds=1)
    assert desk.start().status == "queued"


def test_a_started_plan_locks_its_hosts_and_is_used(desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.start()
    assert desk.locks == {"web1": "run-1", "web2": "run-1"}
    with pytest.raises(UsedError, match="applied already, by run-1"):
        desk.start("run-2")


def test_a_plan_with_nothing_to_do_is_refused(desk_of: DeskOf) -> None:
    with pytest.raises(RefusedError, match="nothing to apply"):
        desk_of("none").start()


def test_a_rejected_plan_can_neither_be_applied_nor_approved(desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.approve()
    desk.approver.reject(desk.plan.id, who="somebody", channel="terminal")
    with pytest.raises(RefusedError, match="is rejected"):
        desk.start()
    with pytest.raises(RefusedError, match="is rejected"):
        desk.approve()


@pytest.mark.parametrize(
    "policy",
    ['approval = "always"', "", 'approval = "never"\n[policy.groups.web]\napproval = "always"'],
    ids=["for all", "by default", "for the group"],
)
def test_a_policy_that_became_stricter_asks_at_apply(policy: str, desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.set_policy(policy)
    with pytest.raises(ApprovalNeeded, match=f"intendant review {desk.plan.id}"):
        desk.start()
    assert desk.locks == {}
    desk.approve()
    assert desk.start().status == "queued"


def test_the_policys_own_yes_is_worth_nothing_once_the_policy_asks(desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.approve(channel="policy")  # as an attempt leaves it that a busy host refused
    desk.set_policy('approval = "always"')
    with pytest.raises(ApprovalNeeded):
        desk.start()


@pytest.mark.parametrize("settings", ['approval_strength = "page"', '[policy.groups.web]\napproval_strength = "page"'])
def test_an_approval_through_a_weaker_channel_does_not_count(settings: str, desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.set_policy(settings)
    desk.approve(channel="elicitation")
    with pytest.raises(ApprovalNeeded, match="the one through elicitation is not enough") as refusal:
        desk.start()
    assert "client's question" not in str(refusal.value)
    assert desk.locks == {}
    desk.approve(channel="page")
    assert desk.start().status == "queued"


@pytest.mark.parametrize("channel", ["terminal", "page"])
def test_a_terminal_is_as_good_as_the_page(channel: Channel, desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.set_policy('approval_strength = "page"')
    desk.approve(channel=channel)
    desk.approve(channel="elicitation")  # a newer one that does not count hides none that does
    assert desk.start().status == "queued"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("max_hosts = 1", "2 hosts match and the policy allows 1"),
        ('allowed_intents = ["file"]', "does not allow 'note' on web1"),
        ('[policy.groups.web]\nallowed_intents = ["pack*"]', "does not allow 'note' on web1"),
    ],
)
def test_what_the_policy_forbids_is_refused_at_plan_and_at_apply_even_if_approved(
    policy: str, reason: str, desk_of: DeskOf
) -> None:
    desk = desk_of()
    desk.approve()
    desk.set_policy(policy)
    with pytest.raises(PolicyError, match=reason):
        desk.start()
    planner = open_app(desk.folder, desk.runner).planner
    with pytest.raises(PolicyError, match=reason):
        planner.plan_changes("web", [STEP])
    assert desk.runner.jobs == []
    assert desk.store.runs_of_plan(desk.plan.id) == []


@pytest.mark.parametrize(("state", "asks"), [("", False), ("absent", True)], ids=["a change", "a deletion"])
def test_approval_of_destructive_plans_asks_only_for_those(state: str, asks: bool, desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.set_policy('approval = "destructive"')
    runner = FakeRunner([changed("web1", state=state), changed("web2")])
    desk.plan = open_app(desk.folder, runner).planner.plan_changes("web", [STEP])
    assert bool(desk.plan.approval_channels) is asks
    if asks:
        with pytest.raises(ApprovalNeeded, match="something is deleted"):
            desk.start()
    else:
        assert desk.start().status == "queued"


@pytest.mark.parametrize("flaw", ["another digest", "run out", "another plan"])
def test_an_approval_counts_only_for_its_digest_its_time_and_its_plan(flaw: str, desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.set_policy("")
    values = {"id": "approval-1", "plan_id": desk.plan.id, "digest": desk.plan.digest, "until": desk.plan.expires_at}
    values |= {"who": "ann", "channel": "terminal", "at": desk.moment}
    if flaw == "another digest":
        values["digest"] = "f" * 64
    elif flaw == "run out":
        values["until"] = desk.moment
    else:
        open_app(desk.folder, desk.runner).planner.plan_changes("web", [STEP], plan_id="plan-other")
        values["plan_id"] = "plan-other"
    desk.store.add_approval(Approval.model_validate(values))
    with pytest.raises(ApprovalNeeded):
        desk.start()


def test_no_approval_is_recorded_for_a_digest_that_is_not_the_plans(desk_of: DeskOf) -> None:
    desk = desk_of()
    with pytest.raises(StaleError, match="for another digest"):
        desk.approve(digest="f" * 64)
    assert desk.store.list_approvals(desk.plan.id) == []


def test_a_busy_host_refuses_the_plan_without_using_it_up(desk_of: DeskOf) -> None:
    desk = desk_of()
    first = desk.start()
    second = open_app(desk.folder, desk.runner).planner.plan_changes("web2", [STEP])
    with pytest.raises(BusyError, match="Host web2 is in use by run run-1"):
        desk.executor().start(second.id, "run-2")
    desk.executor().execute(first)
    assert desk.executor().start(second.id, "run-3").status == "queued"
    assert desk.locks == {"web2": "run-3"}
