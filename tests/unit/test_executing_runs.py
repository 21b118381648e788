"""A run from its start to its end, with a scripted runner in place of hosts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from intendant.errors import EngineError, RefusedError
from intendant.runner.base import Job, Outcome, TaskResult
from intendant.runner.fake import FakeRunner
from intendant.runs import Run
from unit.desks import DeskOf
from unit.projects import changed, unreachable


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
