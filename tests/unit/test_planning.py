import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intendant.app import App, open_app
from intendant.errors import EngineError, InputError, NotFoundError, PolicyError
from intendant.planning import forget_snapshots
from intendant.runner.base import Job, Outcome, TaskResult
from intendant.runner.fake import FakeRunner
from support.projects import make_project, only_plan, plan

LOCAL = {"ansible_connection": "local"}


def result(host: str, **fields: object) -> TaskResult:
    values: dict[str, object] = {"step": 1, "role": "greet", "task": "Greet", "module": "copy", "status": "changed"}
    return TaskResult(host=host, **{**values, **fields})  # type: ignore[arg-type]  # fields of the dataclass


def app_with(tmp_path: Path, runner: FakeRunner, settings: str = "") -> App:
    project = make_project(tmp_path / "p", {"web1": LOCAL, "web2": LOCAL}, settings=settings, groups={"web": ["web1"]})
    project.write_role("greet", "- ansible.builtin.debug:\n", {"greet_text": {"type": "str", "description": "t"}})
    return open_app(project.directory, runner)


def test_a_plan_holds_what_the_runner_reported_for_each_host(tmp_path: Path) -> None:
    runner = FakeRunner([result("web1", args={"path": "/x"}), result("web2", status="ok")])
    found = plan(app_with(tmp_path, runner), "all", ("greet", {}))
    assert {host.host: len(host.changes) for host in found.hosts} == {"web1": 1, "web2": 0}
    assert found.complete
    assert found.digest == found.compute_digest()
    assert [job.check for job in runner.jobs] == [True]


def test_a_host_on_which_no_task_ran_is_an_error_not_an_empty_plan(tmp_path: Path) -> None:
    found = plan(app_with(tmp_path, FakeRunner([])), "web1", ("greet", {}))
    assert only_plan(found).error == "No task ran on this host."
    assert not found.complete


def test_bad_input_is_refused_before_any_host_is_asked(tmp_path: Path) -> None:
    runner = FakeRunner([])
    app = app_with(tmp_path, runner)
    with pytest.raises(InputError, match="steps"):
        plan(app, "all")
    with pytest.raises(NotFoundError, match="greet"):
        plan(app, "all", ("gret", {}))
    with pytest.raises(InputError, match="greet_text"):
        plan(app, "all", ("greet", {"greet_txt": "x"}))
    with pytest.raises(NotFoundError, match="web1"):
        plan(app, "wbe1", ("greet", {}))
    with pytest.raises(PolicyError, match="from_var"):
        plan(app, "all", ("greet", {"greet_text": {"from_var": "vault_x"}}))
    assert runner.jobs == []
    assert not (app.config.state_dir / "plans").exists()


def test_a_param_cannot_refer_to_itself(tmp_path: Path) -> None:
    app = app_with(tmp_path, FakeRunner([]), '[policy]\nfrom_var = ["*"]\n')
    with pytest.raises(InputError, match="cannot refer to greet_text"):
        plan(app, "all", ("greet", {"greet_text": {"from_var": "greet_text"}}))


def test_a_planning_that_fails_leaves_no_snapshot(tmp_path: Path) -> None:
    class Broken(FakeRunner):
        def run(self, job: Job, *arguments: object) -> Outcome:
            raise EngineError("broken")

    app = app_with(tmp_path, Broken([]))
    with pytest.raises(EngineError, match="broken"):
        plan(app, "all", ("greet", {}))
    assert list((app.config.state_dir / "plans").iterdir()) == []


def test_old_snapshots_are_forgotten_and_young_ones_kept(tmp_path: Path) -> None:
    app = app_with(tmp_path, FakeRunner([result("web1"), result("web2")]))
    old, young = plan(app, "all", ("greet", {})), plan(app, "all", ("greet", {}))
    folder = app.config.state_dir / "plans"
    os.utime(folder / old.id, (0, 0))
    forget_snapshots(app.config, before=datetime.now(UTC) - timedelta(days=1))
    assert [path.name for path in folder.iterdir()] == [young.id]
