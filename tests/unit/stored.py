"""Plans, approvals and runs as they are put into a store."""

from datetime import datetime

from intendant.approvals import Approval
from intendant.plans import HostPlan, Plan
from intendant.runs import Run
from intendant.store import Store
from unit.samples import AT, make_change, make_plan, make_run


def add_plan(store: Store, name: str, *hosts: str, at: datetime = AT) -> Plan:
    plan = make_plan(*(HostPlan(host=host, changes=(make_change(),)) for host in hosts), id=name, created_at=at)
    store.add_plan(plan)
    return plan


def add_approval(store: Store, plan: Plan, name: str, at: datetime = AT) -> Approval:
    approval = Approval(
        id=name, plan_id=plan.id, digest=plan.digest, who="ann", channel="terminal", at=at, until=plan.expires_at
    )
    store.add_approval(approval)
    return approval


def new_run(plan: Plan, name: str, at: datetime = AT) -> Run:
    return make_run(id=name, plan_id=plan.id, status="queued", created_at=at, as_planned=None)
