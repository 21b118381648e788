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
from intendant.policy import Policy, check_request, decide_approval
from intendant.redaction import redact_request
from intendant.runner.base import Job, Progress, Runner
from intendant.runner.recorder import Recorder
from intendant.secrets import SecretBox, encode_params, hide_params, list_literals, list_references
from intendant.snapshot import copy_sources, write_playbook
from intendant.store import Store
from intendant.uploads import encode_upload, take_uploads

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
        expires_seconds: int | None = None,
        portable: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
        should_cancel: Callable[[], bool] = lambda: False,
    ) -> Plan:
        """Predict what the steps would change on the hosts that ``pattern`` matches, and keep the plan.

        Args:
            expires_seconds: how long the plan can be applied, in place of the project's setting.
            portable: bind the plan so that another machine with the same inventory can apply it.

        Raises:
            InputError: unknown intents, params or hosts, or wrong values; or a portable plan with a literal secret.
            PolicyError: the policy forbids the request.
            EngineError: Ansible could not run, or the planning was cancelled.
        """
        lifetime = self._choose_lifetime(expires_seconds)
        steps = check_steps(self._catalog, self._config.policy, self._check_step, steps)
        if portable:
            refuse_literals(self._catalog, steps)
        view = self._inventory.read(pattern)
        if not view.hosts:
            raise InputError("hosts: the inventory holds no hosts. Add some to the project's inventory.")
        host_groups = {name: host.groups for name, host in view.hosts.items()}
        check_request(self._config.policy, [step.intent for step in steps], host_groups)
        plan_id = plan_id or new_id("plan")
        created = self._now()
        snapshot = snapshot_dir(self._config, plan_id)
        try:
            write_snapshot(self._config, self._catalog, self._box, snapshot, steps, view)
            roles = {step.intent: self._catalog.role_dir(step.intent) for step in steps}
            salt = secrets.token_hex(16) if portable else ""
            bindings = bind(self._config, self._box, view, roles, snapshot, salt)
            hosts, tasks = predict(self._runner, snapshot, tuple(view.hosts), steps, on_progress, should_cancel)
        except BaseException:
            shutil.rmtree(snapshot, ignore_errors=True)
            raise
        plan = Plan(
            id=plan_id,
            created_at=created,
            expires_at=created + timedelta(seconds=lifetime),
            pattern=pattern,
            steps=tuple(hide_params(self._catalog.get(step.intent), step) for step in steps),
            hosts=hosts,
            bindings=bindings,
            request=redact_request(request),
            client=client,
            tasks=tasks,
        )
        return keep_plan(self._config, self._store, plan, host_groups)

    def _choose_lifetime(self, asked: int | None) -> int:
        most = max(self._config.plan_ttl_max_seconds, self._config.plan_ttl_seconds)
        if asked is not None and not 0 < asked <= most:
            raise InputError(
                f"expires: a plan lasts 1 to {most} seconds. "
                "A person can change plan_ttl_max_seconds in intendant.toml."
            )
        return asked or self._config.plan_ttl_seconds


def check_steps(
    catalog: Catalog, policy: Policy, check_step: Callable[[Step], None], steps: Sequence[Step]
) -> tuple[Step, ...]:
    """The steps, when the catalog knows them, their params fit, and neither policy nor ``check_step`` forbids one.

    Raises:
        InputError: unknown intents or params, or wrong values.
        PolicyError: the policy forbids a step.
    """
    if not steps:
        raise InputError('steps: empty. Give at least one, such as {"intent": "packages", "params": {…}}.')
    steps = catalog.validate_steps(steps, policy.allows_variable)
    for step in steps:
        check_step(step)
    return steps


def refuse_literals(catalog: Catalog, steps: Sequence[Step]) -> None:
    """A portable plan holds no secret: neither in clear nor encrypted with the key of one machine.

    Raises:
        InputError: a param holds a literal that is secret or looks like it.
    """
    for number, step in enumerate(steps, start=1):
        if names := list_literals(catalog.get(step.intent), step):
            raise InputError(
                f"Step {number} ({step.intent}): {', '.join(names)} holds a literal secret or looks like it. "
                'A plan that goes to another machine cannot: put it into a vault and name it: {"from_var": "…"}.'
            )


def write_snapshot(
    config: Config,
    catalog: Catalog,
    box: SecretBox,
    snapshot: Path,
    steps: Sequence[Step],
    view: InventoryView,
    uploads: Mapping[str, bytes] | None = None,
) -> None:
    """Make the folder of everything that a plan runs.

    Args:
        uploads: what a portable plan sends to hosts, by name; None takes it from the project.

    Raises:
        InputError: a file that the steps send to hosts cannot be taken.
    """
    snapshot.mkdir(parents=True, mode=0o700)
    copy_sources(config, {step.intent: catalog.role_dir(step.intent) for step in steps}, snapshot)
    encoded = []
    for step in steps:
        intent = catalog.get(step.intent)
        taken = take_uploads(config, intent, step, snapshot, uploads)
        params = encode_params(intent, step, box)
        given = [name for name in intent.uploads if step.params.get(name) is not None]
        params.update({name: encode_upload(str(taken.params[name]), snapshot) for name in given})
        encoded.append((step.intent, params))
    write_playbook(snapshot, encoded, view.hosts)


def keep_plan(config: Config, store: Store, plan: Plan, host_groups: Mapping[str, Sequence[str]]) -> Plan:
    """Give a new plan what the policy says of it, and its digest; from then on it does not change."""
    reason, channels = decide_approval(config.policy, plan, host_groups)
    plan = plan.model_copy(update={"approval_reason": reason, "approval_channels": channels})
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
