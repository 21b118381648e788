"""Edits of the project's own inventory as plans: shown, approved and used once like every other, but without Ansible.

The same checks stand between such a plan and its run; only what predicts and executes is another runner.
"""

import hashlib
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from intendant.config import Config
from intendant.edits import Edit, show_change
from intendant.errors import ProjectError
from intendant.inventory import Inventory
from intendant.planning import keep_plan, new_id, predict, snapshot_dir
from intendant.plans import CONTROLLER, Bindings, Plan
from intendant.policy import check_request
from intendant.runner.base import Job, Outcome, TaskResult
from intendant.snapshot import fingerprint_snapshot
from intendant.store import Store
from intendant.textfiles import FileChange, read_text, replace_texts

EDIT_FILE = "edit.json"


class Editor:
    """Makes plans of edits, and makes the edits of approved plans: the runner of plans of the kind ``inventory``."""

    def __init__(self, config: Config, inventory: Inventory, store: Store, now: Callable[[], datetime]) -> None:
        self._config = config
        self._inventory = inventory
        self._store = store
        self._now = now

    def plan_edit(self, edit: Edit, *, client: str = "", plan_id: str = "") -> Plan:
        """Keep a plan that writes exactly this edit.

        Raises:
            PolicyError: the policy forbids the edit for one of the host's groups.
            ProjectError: the edit cannot be shown without what must not be shown.
        """
        groups = {edit.host: edit.groups}
        check_request(self._config.policy, [edit.step.intent], groups)
        plan_id = plan_id or new_id("plan")
        created = self._now()
        snapshot = snapshot_dir(self._config, plan_id)
        try:
            snapshot.mkdir(parents=True, mode=0o700)
            file = snapshot / EDIT_FILE
            file.touch(mode=0o600)
            file.write_text(edit.model_dump_json(), encoding="utf-8")
            bindings, _ = self.bind(snapshot)
            hosts, tasks = predict(self, snapshot, (CONTROLLER,), [edit.step], lambda _: None, lambda: False)
        except BaseException:
            shutil.rmtree(snapshot, ignore_errors=True)
            raise
        plan = Plan(
            id=plan_id,
            kind="inventory",
            created_at=created,
            expires_at=created + timedelta(seconds=self._config.plan_ttl_seconds),
            pattern=CONTROLLER,
            steps=(edit.step,),
            hosts=hosts,
            bindings=bindings,
            client=client,
            tasks=tasks,
            to_confirm=edit.say_to_confirm(),
        )
        return keep_plan(self._config, self._store, plan, groups)

    def bind(self, snapshot: Path) -> tuple[Bindings, dict[str, tuple[str, ...]]]:
        """The bindings of such a plan as the files are now, and the groups of the host that it is about.

        Raises:
            ProjectError: the snapshot is gone, or a file cannot be read.
        """
        edit = self._read(snapshot)
        content = {
            self._name(change): hashlib.sha256(read_text(change.path).encode()).hexdigest() for change in edit.files
        }
        bindings = Bindings(
            content=content,
            params=fingerprint_snapshot(snapshot),
            hosts=(CONTROLLER,),
            variables={},
            ansible_core=version("ansible-core"),
        )
        return bindings, {edit.host: edit.groups}

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        """See ``Runner.run``. All files are written, or none.

        Raises:
            ProjectError: a file is another by now, or the inventory could not be read any more.
        """
        edit = self._read(job.directory)
        on_task(1, edit.files[0].purpose)
        if should_cancel() or (job.cancel_file and job.cancel_file.exists()):
            return Outcome(failed_hosts=frozenset(), finished=False, cancelled=True)
        results = [self._describe(edit, change) for change in edit.files]
        if not job.check:
            self.commit(edit)
        for result in results:
            on_result(result)
        return Outcome(failed_hosts=frozenset(), finished=True)

    def commit(self, edit: Edit) -> None:
        """Write an edit that a person has confirmed.

        Raises:
            ProjectError: a file is another by now or cannot be written, or the inventory could not be read any more.
        """
        # The key first: nothing may reach the host without it.
        replace_texts(edit.files[::-1], self._inventory.read)

    def _describe(self, edit: Edit, change: FileChange) -> TaskResult:
        before, after = show_change(change)
        name = self._name(change)
        return TaskResult(
            host=CONTROLLER,
            step=1,
            role=edit.step.intent,
            task=change.purpose,
            module="inventory",
            status="changed",
            args={"path": name},
            diff=({"before": before, "after": after},),
        )

    def _name(self, change: FileChange) -> str:
        inside = change.path.is_relative_to(self._config.project_dir)
        return str(change.path.relative_to(self._config.project_dir) if inside else change.path)

    @staticmethod
    def _read(snapshot: Path) -> Edit:
        try:
            return Edit.model_validate_json((snapshot / EDIT_FILE).read_bytes())
        except (OSError, ValueError) as error:
            raise ProjectError("The plan's stored copy is gone. Plan again.") from error
