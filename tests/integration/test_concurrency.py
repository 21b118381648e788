"""One run for a plan, and one at a time for a host."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intendant.errors import BusyError, UsedError
from intendant.runs import Run
from lab.hosts import LabHost
from support.locks import held_locks
from support.projects import Project
from support.ticking import make_ticking, plan_ticks, read_ticks

APPLY = """
import sys
from pathlib import Path
from intendant.app import open_app
from intendant.errors import IntendantError
try:
    print(open_app(Path(sys.argv[1])).applier.apply_plan(sys.argv[2], wait_seconds=120).status)
except IntendantError as error:
    print(type(error).__name__)
"""


@pytest.fixture
def project(tmp_path: Path, trixie_host: LabHost) -> Project:
    trixie_host.run("rm -f /var/tmp/ticks*")
    return make_ticking(tmp_path / "project", {"web1": trixie_host, "web2": trixie_host})


def await_run(read: Callable[[], Run], reached: Callable[[Run], bool]) -> Run:
    """Poll a run until it is as wanted (for at most a minute)."""
    for _ in range(300):
        run = read()
        if reached(run):
            return run
        time.sleep(0.2)
    raise AssertionError(f"run {run.id} is {run.status} at {run.current_task!r}")


def test_of_applies_in_several_threads_one_runs(project: Project, trixie_host: LabHost) -> None:
    plan, app = plan_ticks(project, "web1"), project.open()

    def apply(_: int) -> str:
        try:
            return app.applier.apply_plan(plan.id, wait_seconds=120).status
        except UsedError:
            return "used"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(apply, range(3))) == ["succeeded", "used", "used"]
    assert read_ticks(trixie_host, "web1") == ["one", "two"]
    assert len(app.store.runs_of_plan(plan.id)) == 1


def test_of_applies_in_several_processes_one_runs(project: Project, trixie_host: LabHost) -> None:
    plan = plan_ticks(project, "web1")
    command = [sys.executable, "-c", APPLY, str(project.directory), plan.id]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate(timeout=180)[0].strip() for process in processes]
    assert sorted(answers) == ["UsedError", "UsedError", "succeeded"]
    assert read_ticks(trixie_host, "web1") == ["one", "two"]


def test_a_busy_host_is_refused_or_waited_for_while_others_go_on(project: Project, trixie_host: LabHost) -> None:
    long, next_one, elsewhere = (
        plan_ticks(project, "web1", "5"),
        plan_ticks(project, "web1"),
        plan_ticks(project, "web2"),
    )
    app = project.open()
    first = app.applier.apply_plan(long.id, wait_seconds=0)
    assert not first.finished
    with pytest.raises(BusyError, match=f"Host web1 is in use by run {first.id}"):
        app.applier.apply_plan(next_one.id, wait_seconds=0)
    assert app.store.plan_status(next_one.id) == "pending"
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(app.applier.apply_plan, next_one.id, wait_seconds=120)
        other = app.applier.apply_plan(elsewhere.id, wait_seconds=120)
        second = waiting.result()
    first = app.applier.wait_run(first.id)
    assert [run.status for run in (first, second, other)] == ["succeeded"] * 3
    assert first.ended_at is not None
    assert other.started_at is not None
    assert other.started_at < first.ended_at <= second.created_at
    assert read_ticks(trixie_host, "web1") == ["one", "two"] * 2
    assert read_ticks(trixie_host, "web2") == ["one", "two"]


def test_a_cancelled_run_stops_after_the_task_in_flight_and_says_what_it_did(
    project: Project, trixie_host: LabHost
) -> None:
    plan, app = plan_ticks(project, "web1", "4"), project.open()
    started = app.applier.apply_plan(plan.id, wait_seconds=0)
    read = lambda: app.applier.wait_run(started.id)  # noqa: E731
    await_run(read, lambda run: run.current_task == "Rest")
    assert not app.applier.cancel_run(started.id).finished
    run = await_run(read, lambda run: run.finished)
    assert run.status == "cancelled"
    assert run.as_planned is False
    assert [change.task for change in run.hosts[0].changes] == ["Count one", "Rest"]
    assert "what is listed was done" in run.message
    assert read_ticks(trixie_host, "web1") == ["one"]
    assert held_locks(project.state) == {}
    assert app.applier.cancel_run(started.id) == run
