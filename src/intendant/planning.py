"""Planning: a check-mode run over a snapshot, kept as an immutable plan."""

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from intendant.binding import bind
from intendant.catalog import Catalog
from intendant.config import Config
from intendant.errors import EngineError, InputError
from intendant.intents import Step
from intendant.inventory import Inventory, InventoryView
from intendant.plans import HostPlan, Plan
from intendant.policy import check_request, decide_approval
from intendant.redaction import redact_request
from intendant.runner.base import Job, Progress, Runner
from intendant.runner.recorder import Recorder
from intendant.secrets import SecretBox, encode_params, hide_params, list_references
from intendant.snapshot import copy_sources, write_playbook
from intendant.store import Store
from intendant.uploads import take_uploads

_KEEP_SNAPSHOTS_DAYS = 7


class Planner:
    """Predicts; changes nothing on any host.

    Args:
        check_step: raises for a step that may not be planned, whatever hosts it is for.
    """

    def __init__(
        self,
        config: Config,
        catalog: Catalog,
        inventory: Inventory,
        store: Store,
        runner: Runner,
        box: SecretBox,
        now: Callable[[], datetime],
        check_step: Callable[[Step], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._catalog = catalog
        self._inventory = inventory
        self._store = store
        self._runner = runner
        self._box = box
        self._now = now
        self._check_step = check_step

    def plan_changes(
        self,
        pattern: str,
        steps: Sequence[Step],
        *,
        request: str = "",
        client: str = "",
        plan_id: str = "",
        on_progress: Callable[[Progress], None] = lambda _: None,
        should_cancel: Callable[[], bool] = lambda: False,
    ) -> Plan:
        """Predict what the steps would change on the hosts that ``pattern`` matches, and keep the plan.

        Raises:
            InputError: unknown intents, params or hosts, or wrong values.
            PolicyError: the policy forbids the request.
            EngineError: Ansible could not run, or the planning was cancelled.
        """
        steps = self._check_steps(steps)
        view = self._inventory.read(pattern)
        if not view.hosts:
            raise InputError("hosts: the inventory holds no hosts. Add some to the project's inventory.")
        host_groups = {name: host.groups for name, host in view.hosts.items()}
        check_request(self._config.policy, [step.intent for step in steps], host_groups)
        plan_id = plan_id or new_id("plan")
        created = self._now()
        snapshot = snapshot_dir(self._config, plan_id)
        try:
            self._write_snapshot(snapshot, steps, view)
            roles = {step.intent: self._catalog.role_dir(step.intent) for step in steps}
            bindings = bind(self._config, self._box, view, roles, snapshot)
            hosts, tasks = predict(self._runner, snapshot, tuple(view.hosts), steps, on_progress, should_cancel)
        except BaseException:
            shutil.rmtree(snapshot, ignore_errors=True)
            raise
        plan = Plan(
            id=plan_id,
            created_at=created,
            expires_at=created,
            pattern=pattern,
            steps=tuple(hide_params(self._catalog.get(step.intent), step) for step in steps),
            hosts=hosts,
            bindings=bindings,
            request=redact_request(request),
            client=client,
            tasks=tasks,
        )
        return keep_plan(self._config, self._store, plan, host_groups)

    def _check_steps(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        if not steps:
            raise InputError('steps: empty. Give at least one, such as {"intent": "packages", "params": {…}}.')
        steps = self._catalog.validate_steps(steps, self._config.policy.allows_variable)
        for step in steps:
            self._check_step(step)
        return steps

    def _write_snapshot(self, snapshot: Path, steps: Sequence[Step], view: InventoryView) -> None:
        snapshot.mkdir(parents=True, mode=0o700)
        steps = [take_uploads(self._config, self._catalog.get(step.intent), step, snapshot) for step in steps]
        copy_sources(self._config, {step.intent: self._catalog.role_dir(step.intent) for step in steps}, snapshot)
        encoded = [(step.intent, encode_params(self._catalog.get(step.intent), step, self._box)) for step in steps]
        write_playbook(snapshot, encoded, view.hosts)


def keep_plan(config: Config, store: Store, plan: Plan, host_groups: Mapping[str, Sequence[str]]) -> Plan:
    """Give a new plan its time, what the policy says of it, and its digest; from then on it does not change."""
    expires = plan.created_at + timedelta(seconds=config.plan_ttl_seconds)
    reason, channels = decide_approval(config.policy, plan, host_groups)
    plan = plan.model_copy(update={"expires_at": expires, "approval_reason": reason, "approval_channels": channels})
    plan = plan.model_copy(update={"digest": plan.compute_digest()})
    store.add_plan(plan)
    forget_snapshots(config, before=plan.created_at - timedelta(days=_KEEP_SNAPSHOTS_DAYS))
    return plan


def predict(
    runner: Runner,
    snapshot: Path,
    hosts: tuple[str, ...],
    steps: Sequence[Step],
    on_progress: Callable[[Progress], None],
    should_cancel: Callable[[], bool],
) -> tuple[tuple[HostPlan, ...], int]:
    """A check-mode run of a snapshot: what it predicts for each host, and how many tasks it started.

    Raises:
        EngineError: Ansible could not run, or the prediction was cancelled.
    """
    recorder = Recorder(hosts)

    def start_task(_: int, name: str) -> None:
        recorder.tasks_started += 1
        on_progress(Progress(task=name, done=recorder.tasks_started - 1))

    job = Job(snapshot, hosts, check=True, secret_variables=list_references(steps))
    outcome = runner.run(job, recorder.add, start_task, should_cancel)
    if outcome.cancelled:
        raise EngineError("The planning was cancelled. Nothing was changed.")
    return recorder.host_plans(outcome), recorder.tasks_started


def snapshot_dir(config: Config, plan_id: str) -> Path:
    """Where a plan keeps what it runs."""
    return config.state_dir / "plans" / plan_id


def forget_snapshots(config: Config, before: datetime) -> None:
    """Delete the folders of plans made before that moment; what the history shows is in the store."""
    for folder in (config.state_dir / "plans").iterdir():
        if folder.stat().st_mtime < before.timestamp():
            shutil.rmtree(folder, ignore_errors=True)


def new_id(kind: str) -> str:
    """A fresh id, such as ``plan-1f0c9a72b4e8``: not to be guessed, easy to copy."""
    return f"{kind}-{secrets.token_hex(6)}"
