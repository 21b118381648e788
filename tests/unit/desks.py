"""Projects with a plan each, and what a run's process does with them, without hosts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from intendant.app import open_app
from intendant.approvals import Approval, Channel
from intendant.approving import Approver
from intendant.executing import Executor
from intendant.intents import Step
from intendant.runner.base import Runner, TaskResult
from intendant.runner.fake import FakeRunner
from intendant.runs import Run
from intendant.secrets import SecretBox
from support.locks import held_locks
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
        approver = Approver(app.store, self.now, app.keys)
        parts = (app.config, app.catalog, app.inventory, app.store, approver, runner or self.runner, box, self.now)
        return Executor(*parts, app.editor)

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


def plan_projects(parent: Path) -> dict[str, Path]:
    """Projects with one plan each: changes on both hosts, on one as the other cannot be predicted, on none."""
    runners = {
        "both": FakeRunner(BOTH),
        "half": FakeRunner([changed("web1"), unreachable("web2")], frozenset({"web2"})),
        "none": FakeRunner([replace(result, status="ok") for result in BOTH]),
    }
    folders = {name: write_project(parent / name) for name in runners}
    for name, runner in runners.items():
        (folders[name] / "intendant.toml").write_text(f'{SETTINGS}approval = "never"\n')
        open_app(folders[name], runner).planner.plan_changes("web", [STEP])
    return folders


def copy_desk(original: Path, folder: Path, *results: TaskResult) -> Desk:
    """The planned project elsewhere, with its state; a run of it finds these results."""
    return Desk(shutil.copytree(original, folder), *results)
