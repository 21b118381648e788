"""Histories put into a store as if plans had been made and applied, a minute after each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from intendant.approvals import Approval
from intendant.intents import Step
from intendant.plans import HostPlan, Plan
from intendant.runs import HostRun, HostStatus, Run, RunStatus
from intendant.store import Store
from unit.samples import AT, make_change, make_plan, make_run

Given = tuple[str, Mapping[str, Any]]


@dataclass
class History:
    """Plans are numbered from 1: ``plan-000000000001`` is applied by ``run-000000000001``."""

    store: Store
    count: int = field(default=0)

    def plan(self, words: str, *steps: Given, hosts: Sequence[str] = ("web1",), pattern: str = "", **more: Any) -> Plan:
        self.count += 1
        at = AT + timedelta(minutes=self.count)
        made = make_plan(
            *(HostPlan(host=host, changes=(make_change(),)) for host in hosts),
            id=f"plan-{self.count:012x}",
            digest=f"{self.count:064x}",
            created_at=at,
            expires_at=at + timedelta(minutes=30),
            pattern=pattern or ",".join(hosts),
            request=words,
            steps=tuple(Step(intent=intent, params=dict(params)) for intent, params in steps),
            **more,
        )
        self.store.add_plan(made)
        return made

    def apply(
        self,
        words: str,
        *steps: Given,
        hosts: Sequence[str] = ("web1",),
        pattern: str = "",
        status: RunStatus = "succeeded",
        failed: Sequence[str] = (),
        **more: Any,
    ) -> Run:
        made = self.plan(words, *steps, hosts=hosts, pattern=pattern, **more)
        approval = Approval(
            id=f"approval-{self.count}", plan_id=made.id, digest=made.digest, who="ann", channel="terminal",
            at=made.created_at, until=made.expires_at,
        )  # fmt: skip
        self.store.add_approval(approval)
        run = make_run(
            *(HostRun(host=host, status=_status(host, status, failed)) for host in hosts),
            status=status,
            id=f"run-{self.count:012x}",
            plan_id=made.id,
            created_at=made.created_at,
        )
        self.store.start_run(run.model_copy(update={"status": "queued"}), approval, hosts)
        self.store.save_run(run)
        return run


def _status(host: str, run: RunStatus, failed: Sequence[str]) -> HostStatus:
    return "failed" if host in failed or run == "failed" else "unfinished" if run == "cancelled" else "changed"
