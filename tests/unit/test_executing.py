"""What stands between a plan and its run, with a scripted runner in place of hosts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.locks import held_locks

from intendant.app import open_app
from intendant.approvals import Approval, Channel
from intendant.approving import Approver
from intendant.errors import ApprovalNeeded, BusyError, EngineError, PolicyError, RefusedError, StaleError, UsedError
from intendant.executing import Executor
from intendant.intents import Step
from intendant.runner.base import Job, Outcome, Runner, TaskResult
from intendant.runner.fake import FakeRunner
from intendant.runs import Run
from intendant.secrets import SecretBox
from unit.projects import changed, unreachable, write_project

SETTINGS = 'state_dir = "state"\n[policy]\n'
STEP = Step(intent="note", params={"note_path": "/srv/note"})
BOTH = (changed("web1"), changed("web2"))


class Desk:
    """A copy of a planned project, a scripted runner, and a clock that stands where it is put."""

    def __init__(self, folder: Path, *results: TaskResult) -> None:
        self.folder = folder
        self.runner = FakeRunner(results or BOTH)
        app = open_app(folder)
        self.store = app.store
        self.approver = app.approver
        [entry] = self.store.list_history()[0]
        self.plan = self.store.get_plan(entry.id)
        self.moment = self.plan.created_at

    def executor(self, runner: Runner | None = None) -> Executor:
        """As the run's process has it: with the settings as they are on disk by now."""
        app = open_app(self.folder)
        box = SecretBox(app.config.state_dir)
        approver = Approver(app.store, self.now)
        return Executor(
            app.config, app.catalog, app.inventory, app.store, approver, runner or self.runner, box, self.now
        )

    def now(self) -> datetime:
        return self.moment

    def start(self, run_id: str = "run-1") -> Run:
        return self.executor().start(self.plan.id, run_id)

    def execute(self, runner: Runner | None = None) -> Run:
        executor = self.executor(runner)
        return executor.execute(executor.start(self.plan.id, "run-1"))

    def set_policy(self, text: str) -> None:
        (self.folder / "intendant.toml").write_text(SETTINGS + text)

    def approve(self, digest: str = "", channel: Channel = "terminal") -> Approval:
        return self.approver.record(self.plan.id, digest or self.plan.digest, who="ann", channel=channel)

    @property
    def locks(self) -> dict[str, str]:
        return held_locks(self.folder / "state")


DeskOf = Callable[..., Desk]


class Broken:
    """A runner that reports one change and then raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        on_task(1, "Write it")
        on_result(changed("web1"))
        raise self.error


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Projects with one plan each: changes on both hosts, on one as the other cannot be predicted, on none."""
    runners = {
        "both": FakeRunner(BOTH),
        "half": FakeRunner([changed("web1"), unreachable("web2")], frozenset({"web2"})),
        "none": FakeRunner([replace(result, status="ok") for result in BOTH]),
    }
    folders = {name: write_project(tmp_path_factory.mktemp(name) / "project") for name in runners}
    for name, runner in runners.items():
        (folders[name] / "intendant.toml").write_text(f'{SETTINGS}approval = "never"\n')
        open_app(folders[name], runner).planner.plan_changes("web", [STEP])
    return folders


@pytest.fixture
def desk_of(planned: dict[str, Path], tmp_path: Path) -> DeskOf:
    def build(name: str = "both", *results: TaskResult) -> Desk:
        return Desk(shutil.copytree(planned[name], tmp_path / name), *results)

    return build


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


def test_a_run_ends_as_planned_and_frees_its_hosts(desk_of: DeskOf) -> None:
    desk = desk_of()
    run = desk.execute()
    assert (run.status, run.as_planned, run.deviations) == ("succeeded", True, ())
    assert [job.check for job in desk.runner.jobs] == [False]
    assert desk.store.get_run("run-1") == run
    assert desk.locks == {}


def test_what_was_done_otherwise_is_listed(desk_of: DeskOf) -> None:
    desk = desk_of("both", changed("web1", after="other\n"), replace(changed("web2"), task="Surprise"))
    run = desk.execute()
    assert (run.status, run.as_planned) == ("succeeded", False)
    found = {(deviation.host, deviation.kind, deviation.task) for deviation in run.deviations}
    assert found == {
        ("web1", "different", "Write it"),
        ("web2", "missing", "Write it"),
        ("web2", "unplanned", "Surprise"),
    }


def test_a_host_that_could_not_be_predicted_is_neither_touched_nor_locked(desk_of: DeskOf) -> None:
    desk = desk_of("half")
    executor = desk.executor()
    run = executor.start(desk.plan.id, "run-1")
    assert desk.locks == {"web1": "run-1"}
    run = executor.execute(run)
    assert [job.hosts for job in desk.runner.jobs] == [("web1",)]
    assert (run.status, [host.host for host in run.hosts]) == ("succeeded", ["web1"])


@pytest.mark.parametrize(("age", "modes"), [(120, [False]), (121, [True, False])])
def test_a_plan_older_than_two_minutes_is_checked_again_first(age: int, modes: list[bool], desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.moment = desk.plan.created_at + timedelta(seconds=age)
    assert desk.execute().as_planned
    assert [job.check for job in desk.runner.jobs] == modes


def test_a_host_that_moved_ends_the_run_before_it_touches_anything(desk_of: DeskOf) -> None:
    desk = desk_of("both", changed("web1"), changed("web2", before="edited\n"))
    desk.moment = desk.plan.created_at + timedelta(minutes=3)
    run = desk.execute()
    assert (run.status, run.as_planned, run.hosts) == ("failed", False, ())
    assert "web2 has changed since: Write it (/srv/note). Nothing was changed." in run.message
    assert [job.check for job in desk.runner.jobs] == [True]
    assert desk.locks == {}
    with pytest.raises(RefusedError, match="is stale"):
        desk.start("run-2")


def test_a_host_that_cannot_be_checked_any_more_ends_the_run_too(desk_of: DeskOf) -> None:
    desk = desk_of()
    desk.moment = desk.plan.created_at + timedelta(minutes=3)
    runner = FakeRunner([changed("web1"), unreachable("web2")], frozenset({"web2"}))
    run = desk.execute(runner)
    assert "web2 cannot be checked any more (Write it: No route to host" in run.message
    assert [job.check for job in runner.jobs] == [True]


def test_a_runner_that_breaks_off_leaves_a_failed_run_that_says_what_was_done(desk_of: DeskOf) -> None:
    desk = desk_of()
    run = desk.execute(Broken(EngineError("Ansible stopped before the end.")))
    assert (run.status, run.message, run.as_planned) == ("failed", "Ansible stopped before the end.", False)
    assert [(host.host, host.status, len(host.changes)) for host in run.hosts] == [
        ("web1", "unfinished", 1),
        ("web2", "unfinished", 0),
    ]
    assert desk.locks == {}


def test_a_fault_of_ours_ends_the_run_without_its_text(desk_of: DeskOf) -> None:
    desk = desk_of()
    with pytest.raises(ZeroDivisionError):
        desk.execute(Broken(ZeroDivisionError("canary")))
    run = desk.store.get_run("run-1")
    assert run.status == "failed"
    assert "canary" not in run.model_dump_json()
    assert desk.locks == {}


def test_progress_is_kept_while_the_run_goes_on(desk_of: DeskOf) -> None:
    desk = desk_of()
    seen: list[Run] = []

    class Watched(FakeRunner):
        def run(
            self,
            job: Job,
            on_result: Callable[[TaskResult], None],
            on_task: Callable[[int, str], None],
            should_cancel: Callable[[], bool],
        ) -> Outcome:
            def look(result: TaskResult) -> None:
                desk.moment += timedelta(seconds=1)
                on_result(result)
                seen.append(desk.store.get_run("run-1"))

            return super().run(job, look, on_task, should_cancel)

    desk.execute(Watched([changed("web1"), replace(changed("web2"), task="Then this")]))
    assert [(run.status, run.current_task, run.tasks_done) for run in seen] == [
        ("running", "Write it", 0),
        ("running", "Then this", 1),
    ]
    assert [host.status for host in seen[1].hosts] == ["unfinished", "unfinished"]
    assert len(seen[1].hosts[0].changes) == 1
