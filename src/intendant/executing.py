"""Executing one approved plan, inside the run's own process."""

import os
import platform
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from intendant.approvals import Approval, review_command
from intendant.approving import Approver
from intendant.binding import bind
from intendant.catalog import Catalog
from intendant.config import Config
from intendant.editing import EDIT_FILE, Editor
from intendant.errors import ApprovalNeeded, EngineError, IntendantError, RefusedError, StaleError, UsedError
from intendant.inventory import Inventory
from intendant.planning import predict, snapshot_dir
from intendant.plans import Bindings, HostPlan, Plan, explain_drift
from intendant.policy import check_request, decide_approval
from intendant.processes import read_start
from intendant.runner.base import Job, Outcome, Runner
from intendant.runner.recorder import Recorder
from intendant.runs import Run, conclude_status, find_deviations
from intendant.secrets import SecretBox, list_references
from intendant.store import Store

_SAVE_EVERY_SECONDS = 0.3
#: each host's groups
Groups = dict[str, tuple[str, ...]]


class Executor:
    """Refuses or runs: every check that binds a run to its plan is here and nowhere else."""

    def __init__(
        self,
        config: Config,
        catalog: Catalog,
        inventory: Inventory,
        store: Store,
        approver: Approver,
        runner: Runner,
        box: SecretBox,
        now: Callable[[], datetime],
        editor: Editor,
    ) -> None:
        self._config = config
        self._catalog = catalog
        self._inventory = inventory
        self._store = store
        self._approver = approver
        self._runner = runner
        self._box = box
        self._now = now
        self._editor = editor

    def start(self, plan_id: str, run_id: str) -> Run:
        """Verify the plan, use it up, lock its hosts: after this the run exists and nothing else can start it.

        Raises:
            RefusedError: not approved, stale, used, or a host is busy; nothing was changed and the message says why.
        """
        plan = self._store.get_plan(plan_id)
        self._check_state(plan)
        groups = self._check_bindings(plan)
        approval = self._find_approval(plan, groups)
        run = Run(
            id=run_id,
            plan_id=plan_id,
            status="queued",
            created_at=self._now(),
            node=platform.node(),
            pid=os.getpid(),
            pid_started=read_start(os.getpid()),
            tasks_expected=plan.tasks,
        )
        self._store.start_run(run, approval, plan.healthy_hosts)
        return run

    def execute(self, run: Run) -> Run:
        """Run the plan to its end and keep the result; never raises for what goes wrong on a host."""
        plan = self._store.get_plan(run.plan_id)
        recorder = Recorder(plan.healthy_hosts)
        outcome = None
        try:
            run = self._recheck(plan, run)
            if run.finished:
                return run
            run = run.model_copy(update={"status": "running", "started_at": self._now()})
            self._store.save_run(run)
            outcome = self._run_job(plan, run, recorder)
            run = self._conclude(plan, run, recorder, outcome)
        except IntendantError as error:
            run = self._end(run, status="failed", message=str(error), hosts=recorder.host_runs(outcome))
        except Exception:
            failure = "Intendant itself failed; see the run's log in the state folder."
            self._store.save_run(self._end(run, status="failed", message=failure, hosts=recorder.host_runs(outcome)))
            raise
        self._store.save_run(run)
        return run

    def _check_state(self, plan: Plan) -> None:
        status = self._store.plan_status(plan.id)
        if status == "applied":
            runs = ", ".join(run.id for run in self._store.runs_of_plan(plan.id))
            raise UsedError(f"Plan {plan.id} was applied already, by {runs}. To do it again, plan again.")
        if status != "pending":
            raise RefusedError(f"Plan {plan.id} is {status}. Plan again.")
        if plan.digest != plan.compute_digest():
            raise StaleError(plan.id, ["the stored plan was altered"])
        if self._now() >= plan.expires_at:
            raise StaleError(plan.id, [f"it expired at {plan.expires_at:%H:%M:%S} UTC"])
        if not plan.applyable:
            raise RefusedError(f"Plan {plan.id} has nothing to apply.")

    def _check_bindings(self, plan: Plan) -> Groups:
        """The groups of the hosts that the plan is about, when nothing that it is bound to has moved."""
        snapshot = snapshot_dir(self._config, plan.id)
        try:
            current, groups = self._editor.bind(snapshot) if plan.kind == "inventory" else self._bind(plan, snapshot)
        except RefusedError:
            raise
        except (IntendantError, OSError) as error:
            raise StaleError(plan.id, [str(error)]) from error
        if moved := explain_drift(plan.bindings, current):
            raise StaleError(plan.id, moved[:10])
        return groups

    def _bind(self, plan: Plan, snapshot: Path) -> tuple[Bindings, Groups]:
        view = self._inventory.read(plan.pattern)
        roles = {step.intent: self._catalog.role_dir(step.intent) for step in plan.steps}
        groups = {name: host.groups for name, host in view.hosts.items()}
        salt = plan.bindings.seal.salt if plan.bindings.seal else ""
        return bind(self._config, self._box, view, roles, snapshot, salt), groups

    def _find_approval(self, plan: Plan, groups: Groups) -> Approval:
        check_request(self._config.policy, [step.intent for step in plan.steps], groups)
        reason, channels = decide_approval(self._config.policy, plan, groups)
        # The policy's own yes, left by an attempt that a busy host refused, is worth nothing once the policy asks. Nor
        # is one through a channel that is weaker than what the policy wants by now.
        if approval := self._approver.current(plan.id, channels):
            return approval
        if channels:
            raise ApprovalNeeded(self._explain_missing(plan, reason, channels))
        return self._approver.record(plan.id, plan.digest, who="policy", channel="policy", comment=reason)

    def _explain_missing(self, plan: Plan, reason: str, channels: Sequence[str]) -> str:
        weaker = self._approver.current(plan.id, ())
        given = f" (the one through {weaker.channel} is not enough)" if weaker else ""
        missing = f"Plan {plan.id} is not approved{given}: {reason}."
        if "passkey" not in channels:
            asked = ", or by answering the client's question" if "elicitation" in channels else ""
            return (
                f"{missing} A person approves it with 'intendant review {plan.id}' on a terminal, "
                f"'intendant review --web {plan.id}' on a page{asked}. Then apply it again."
            )
        if "passkey" not in plan.approval_channels:
            return f"{missing} By now that takes a passkey, which it did not when the plan was made. Plan again."
        if flaw := self._approver.explain_flaw(plan.id):
            missing += f" The approval that is there does not count: {flaw.rstrip('.')}."
        way = review_command(plan.id, channels)
        return f"{missing} A person approves it with a passkey: '{way}' opens the page. Then apply it again."

    def _recheck(self, plan: Plan, run: Run) -> Run:
        """Predict again when the plan is not fresh; a finished run comes back when the hosts have moved.

        Of a portable plan always: what its file says of the hosts is then nobody's word but theirs.
        """
        age = (self._now() - plan.created_at).total_seconds()
        if age <= self._config.recheck_after_seconds and not plan.portable:
            return run
        self._store.save_run(run.model_copy(update={"current_task": "checking that nothing has moved"}))
        hosts, _ = predict(
            self._runner_of(plan), self._snapshot(plan), plan.healthy_hosts, plan.steps, lambda _: None, lambda: False
        )
        moved = explain_moved(plan.hosts, hosts)
        if not moved:
            return run
        self._store.set_plan_status(plan.id, "stale", expected="applied")
        run = self._end(run, status="failed", message=str(StaleError(plan.id, moved[:10])), hosts=())
        self._store.save_run(run)
        return run

    def _run_job(self, plan: Plan, run: Run, recorder: Recorder) -> Outcome:
        last_saved = 0.0

        task, shown = "", ""

        def save_progress() -> bool:
            nonlocal last_saved, shown
            if task != shown and (moment := self._now().timestamp()) - last_saved >= _SAVE_EVERY_SECONDS:
                last_saved, shown = moment, task
                progress = {"current_task": task, "tasks_done": recorder.tasks_started - 1}
                self._store.save_run(run.model_copy(update={**progress, "hosts": recorder.host_runs(None)}))
            return False  # polled by the runner: a long task after quick ones is shown too

        def start_task(_: int, name: str) -> None:
            nonlocal task
            recorder.tasks_started += 1
            task = name
            save_progress()

        job = Job(
            self._snapshot(plan),
            plan.healthy_hosts,
            check=False,
            secret_variables=list_references(plan.steps),
            cancel_file=cancel_file(self._config, run.id),
        )
        return self._runner_of(plan).run(job, recorder.add, start_task, save_progress)

    def _conclude(self, plan: Plan, run: Run, recorder: Recorder, outcome: Outcome) -> Run:
        hosts = recorder.host_runs(outcome)
        planned = {host.host: host for host in plan.hosts}
        deviations = tuple(found for host in hosts for found in find_deviations(planned[host.host], host))
        status = "cancelled" if outcome.cancelled else conclude_status(hosts)
        message = "Cancelled between two tasks; what is listed was done." if outcome.cancelled else ""
        run = run.model_copy(update={"tasks_done": recorder.tasks_started, "deviations": deviations})
        return self._end(run, status=status, message=message, hosts=hosts)

    def _end(self, run: Run, *, status: str, message: str, hosts: Sequence[object]) -> Run:
        as_planned = status == "succeeded" and not run.deviations
        return run.model_copy(
            update={
                "status": status,
                "message": message,
                "hosts": tuple(hosts),
                "ended_at": self._now(),
                "as_planned": as_planned,
                "current_task": "",
            }
        )

    def _snapshot(self, plan: Plan) -> Path:
        folder = snapshot_dir(self._config, plan.id)
        if not (folder / (EDIT_FILE if plan.kind == "inventory" else "playbook.yml")).is_file():
            raise EngineError(f"The snapshot of plan {plan.id} is gone. Plan again.")
        return folder

    def _runner_of(self, plan: Plan) -> Runner:
        return self._editor if plan.kind == "inventory" else self._runner


def explain_moved(planned: Sequence[HostPlan], current: Sequence[HostPlan]) -> list[str]:
    """One sentence for each host whose prediction is no longer the planned one."""
    now = {host.host: host for host in current}
    moved = []
    for host in planned:
        if host.error is not None or (found := now[host.host]) == host:
            continue
        if found.error:
            moved.append(f"{host.host} cannot be checked any more ({found.error})")
        else:
            old, new = set(host.changes), set(found.changes)
            names = sorted({f"{change.task} ({change.target})" for change in old ^ new}) or ["its blind spots"]
            moved.append(f"{host.host} has changed since: {', '.join(names[:5])}")
    return moved


def cancel_file(config: Config, run_id: str) -> Path:
    """The file that, when it appears, stops a run before its next task."""
    return config.state_dir / "runs" / run_id / "cancel"
