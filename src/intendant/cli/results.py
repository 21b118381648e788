"""The MCP tools' result models, whole: a file or a pipe needs no pages.

Imported only where JSON is asked for: these models bring the database's with them.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from intendant.approvals import Approval, review_command
from intendant.inventory import InventoryView
from intendant.plans import Plan, group_hosts
from intendant.runs import Run
from intendant.views.json import build_hosts, build_run, format_time
from intendant.views.pages import build_plan
from intendant.views.results import (
    BlindSpotView,
    ChangeView,
    DeviationView,
    GroupView,
    HostsResult,
    PlanResult,
    RunResult,
    StepView,
)

_CHANGE_FIELDS = {"step", "role", "task", "module", "target", "action"}


class PlanReport(PlanResult):
    """A whole plan as `show --format json` prints it: see docs/plan-format.md."""

    format_version: Literal[1] = 1
    created_at: str
    request: str
    hosts: str = Field(description="the pattern that was asked for")
    steps: list[StepView]


def whole_plan(plan: Plan, status: str, *, approval: Approval | None) -> PlanReport:
    """The plan with every group and every diff."""
    groups = [
        GroupView(
            hosts=list(group.hosts),
            changes=[
                ChangeView(diff=change.diff, **change.model_dump(include=_CHANGE_FIELDS)) for change in group.changes
            ],
            blind_spots=[BlindSpotView(task=spot.task, reason=spot.reason) for spot in group.blind_spots],
            error=group.error,
        )
        for group in group_hosts(plan.hosts)
    ]
    page = build_plan(plan, status, approval=approval)
    waits = plan.approval_channels and not approval
    following = review_command(plan.id, plan.approval_channels) if waits else f"intendant apply {plan.id}"
    usable = status == "pending" and plan.applyable
    whole = {"groups": groups, "next_cursor": "", "next": following if usable else f"This plan is {status}."}
    return PlanReport(
        format_version=1,
        created_at=format_time(plan.created_at),
        request=plan.request,
        hosts=plan.pattern,
        steps=[StepView(**step.model_dump()) for step in plan.steps],
        **{name: getattr(page, name) for name in page.model_fields_set} | whole,
    )


def whole_run(run: Run) -> RunResult:
    """The run with every host and every deviation."""
    page = build_run(run)
    hosts = list(page.hosts)
    while page.next_cursor:
        page = build_run(run, start=int(page.next_cursor))
        hosts += page.hosts
    deviations = [DeviationView(**deviation.model_dump()) for deviation in run.deviations]
    return page.model_copy(update={"hosts": hosts, "deviations": deviations, "next_cursor": "", "more_deviations": 0})


def whole_hosts(view: InventoryView, last_runs: Mapping[str, Run]) -> HostsResult:
    """Every host."""
    page = build_hosts(view, last_runs)
    hosts, groups = list(page.hosts), {name: len(members) for name, members in view.groups.items()}
    while page.next_cursor:
        page = build_hosts(view, last_runs, start=int(page.next_cursor))
        hosts += page.hosts
    return page.model_copy(update={"hosts": hosts, "groups": groups, "next_cursor": ""})
