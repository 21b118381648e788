"""Plans and runs as plain text for people. Pure functions; every text from hosts and roles is cleaned."""

from collections.abc import Iterable
from datetime import datetime

from intendant.approvals import Approval, review_command
from intendant.cleaning import sanitize
from intendant.plans import ACTIONS, HostGroup, Plan, group_hosts
from intendant.runs import Run
from intendant.views.lines import (
    Line,
    describe_change,
    diff_lines,
    format_value,
    join_names,
    plural,
    sanitize_line,
)

__all__ = [
    "count_line",
    "plan_lines",
    "prediction_lines",
    "render_plan",
    "render_run",
    "run_lines",
    "sanitize",
    "sanitize_line",
    "summarize_plan",
]

#: names of one group of hosts in a summary; the rest is counted.
_MOST_HOSTS = 8


def render_plan(plan: Plan, status: str = "pending", approval: Approval | None = None) -> str:
    """The whole plan with its diffs and what to do next."""
    return _join(plan_lines(plan, status, approval))


def plan_lines(plan: Plan, status: str = "pending", approval: Approval | None = None) -> list[Line]:
    """As ``render_plan``, as lines with a tone; ``approval`` is the current unused one, if there is one."""
    return [*prediction_lines(plan, status), *_next_lines(plan, status, approval)]


def prediction_lines(plan: Plan, status: str = "pending") -> list[Line]:
    """The whole plan with its diffs, and nothing about what to do with it."""
    lines = _header_lines(plan, status)
    for group in group_hosts(plan.hosts):
        lines += [Line(""), *_group_lines(group, with_diffs=True)]
    return [*lines, Line(""), *_total_lines(plan)]


def summarize_plan(plan: Plan, limit_bytes: int) -> str:
    """The plan for the question that asks for approval: what it does, then the diffs.

    At most ``limit_bytes`` (UTF-8, 200 or more). Deterministic. What does not fit is counted in the last line; the
    totals and the list of changes come before any diff, so that a long diff cannot push a deletion out of sight.
    """
    head = [*_total_lines(plan), *_step_lines(plan)]
    groups = group_hosts(plan.hosts)
    whole = [*head]
    for group in groups:
        whole += _group_lines(group, with_diffs=True, most_hosts=_MOST_HOSTS)
    if len(_join(whole).encode()) <= limit_bytes:
        return _join(whole)
    outline = [line for group in groups for line in _group_lines(group, with_diffs=False, most_hosts=_MOST_HOSTS)]
    diffs = [line for group in groups for line in _diff_section(group)]
    return _cut([*head, *outline, *diffs], plan.id, limit_bytes)


def count_line(plan: Plan) -> str:
    """``Plan: 2 to create, 1 to update, 0 to delete, 0 to run on 3 hosts``."""
    touched = sum(1 for host in plan.hosts if host.changes)
    counts = ", ".join(f"{plan.counts[action]} to {action}" for action in ACTIONS)
    if plan.kind == "inventory":
        return f"Plan: {counts} of the inventory's files."
    return f"Plan: {counts} on {plural(touched or len(plan.healthy_hosts), 'host')}."


def render_run(run: Run) -> str:
    """A run: per host what happened, and whether it went as planned."""
    return _join(run_lines(run))


def run_lines(run: Run) -> list[Line]:
    """As ``render_run``, as lines with a tone."""
    lines = [_run_title(run)]
    if run.message:
        lines.append(Line(f"  {sanitize_line(run.message)}", "warn"))
    width = max((len(sanitize_line(host.host)) for host in run.hosts), default=0)
    for host in run.hosts:
        bad = host.status in ("failed", "unreachable", "unfinished")
        changed = f"  {plural(len(host.changes), 'change')}" if host.changes else ""
        text = f"  {sanitize_line(host.host):<{width}}  {host.status}{changed}"
        lines.append(Line(text, "error" if bad else "plain"))
        if host.failed_task:
            lines.append(Line(f"      failed at: {sanitize_line(host.failed_task)}", "error"))
        lines += [Line(f"      {part}", "error" if bad else "plain") for part in sanitize(host.message).splitlines()]
    if run.deviations:
        lines.append(Line("NOT AS PLANNED:", "warn"))
    for deviation in run.deviations:
        what = f"{sanitize_line(deviation.task)} [{sanitize_line(deviation.target)}]"
        detail = f": {sanitize_line(deviation.detail)}" if deviation.detail else ""
        lines.append(Line(f"  ! {sanitize_line(deviation.host)}: {deviation.kind}: {what}{detail}", "warn"))
    if not run.finished:
        lines.append(Line(f"See it again: intendant show {run.id}    stop it: intendant cancel {run.id}", "dim"))
    elif run.status != "succeeded" or run.deviations:
        lines.append(Line("Plan again to see what is left.", "dim"))
    return lines


def _run_title(run: Run) -> Line:
    if not run.finished:
        done = f"{run.tasks_done} of {run.tasks_expected}" if run.tasks_expected else str(run.tasks_done)
        task = f", now: {sanitize_line(run.current_task)}" if run.current_task else ""
        return Line(f"Run {run.id} of plan {run.plan_id}: {run.status} ({done} tasks done{task})", "heading")
    verdict = {True: ", as planned", False: ", NOT as planned", None: ""}[run.as_planned]
    return Line(f"Run {run.id} of plan {run.plan_id}: {run.status}{verdict}", "heading")


def _header_lines(plan: Plan, status: str) -> list[Line]:
    lines = [Line(f"Plan {plan.id} ({status})", "heading")]
    if plan.request:
        lines.append(Line(f"Request: {sanitize_line(plan.request)}"))
    if plan.kind == "inventory":
        lines.append(Line("Changes files of this project, and no host."))
    else:
        lines.append(Line(f"Hosts: {sanitize_line(plan.pattern)} ({plural(len(plan.hosts), 'host')})"))
    lines += _step_lines(plan)
    lines.append(Line(f"Valid until {_format_time(plan.expires_at)}, digest {plan.digest[:12]}", "dim"))
    return lines


def _step_lines(plan: Plan) -> list[Line]:
    return [
        Line(
            f"Step {number}: {sanitize_line(step.intent)} "
            + " ".join(f"{sanitize_line(name)}={format_value(value)}" for name, value in sorted(step.params.items()))
        )
        for number, step in enumerate(plan.steps, 1)
    ]


def _group_lines(group: HostGroup, *, with_diffs: bool, most_hosts: int | None = None) -> list[Line]:
    names = join_names(group.hosts, most_hosts)
    if group.error is not None:
        error = sanitize(group.error).splitlines() or [""]
        first = Line(f"{names}: cannot be planned and will not be touched: {error[0]}", "error")
        return [first, *(Line(f"      {line}", "error") for line in error[1:])]
    if not group.changes and not group.blind_spots:
        return [Line(f"{names}: nothing to change")]
    lines = [Line(f"{names}: {plural(len(group.changes), 'change')}", "heading")]
    for change in group.changes:
        lines.append(Line(f"  {describe_change(change)}", change.action))
        if with_diffs:
            lines += diff_lines(change)
    for spot in group.blind_spots:
        text = f"step {spot.step}, {sanitize_line(spot.task)}: {sanitize_line(spot.reason)}"
        lines.append(Line(f"  ? cannot be predicted: {text}", "warn"))
    return lines


def _diff_section(group: HostGroup) -> list[Line]:
    lines: list[Line] = []
    for change in group.changes:
        if diff := diff_lines(change):
            lines += [Line(f"Diff on {join_names(group.hosts, _MOST_HOSTS)}: {describe_change(change)}"), *diff]
    return lines


def _total_lines(plan: Plan) -> list[Line]:
    if plan.complete and not plan.applyable:
        return [Line(f"Nothing to change on {plural(len(plan.hosts), 'host')}.", "heading")]
    lines = [Line(count_line(plan), "heading")]
    if plan.to_confirm:
        lines.append(Line(sanitize_line(plan.to_confirm), "warn"))
    if spots := sum(len(host.blind_spots) for host in plan.hosts):
        lines.append(Line(f"Incomplete: {plural(spots, 'task')} could not be predicted (see ? lines).", "warn"))
    if failed := tuple(host.host for host in plan.hosts if host.error is not None):
        lines.append(Line(f"Incomplete: no prediction for {join_names(failed)}.", "error"))
    return lines


def _next_lines(plan: Plan, status: str, approval: Approval | None) -> list[Line]:
    reason = f" ({sanitize_line(plan.approval_reason)})" if plan.approval_reason else ""
    if status != "pending":
        advice = {"applied": "It was applied already: see intendant history."}.get(status, "Plan again.")
        return [Line(f"This plan is {status}. {advice}", "warn")]
    if not plan.applyable:
        return []
    if approval is not None:
        by = f"{sanitize_line(approval.who)} ({sanitize_line(approval.through)}) until {_format_time(approval.until)}"
        return [Line(f"Approved by {by}. Apply it: intendant apply {plan.id}")]
    if not plan.approval_channels:
        return [Line(f"Approved by policy{reason}. Apply it: intendant apply {plan.id}")]
    how = " with a passkey" if "passkey" in plan.approval_channels else ""
    return [
        Line(f"Needs approval{reason}. A person approves it{how}: {review_command(plan.id, plan.approval_channels)}"),
        Line(f"Then apply it: intendant apply {plan.id}"),
    ]


def _cut(lines: list[Line], plan_id: str, limit_bytes: int) -> str:
    """The longest run of whole lines that fits together with the line that says what is missing."""
    kept: list[str] = []
    sizes = [len(line.text.encode()) + 1 for line in lines]
    used, left = 0, sum(sizes)
    for number, line in enumerate(lines):
        rest = _rest_line(len(lines) - number - 1, left - sizes[number], plan_id)
        if used + sizes[number] + len(rest.encode()) > limit_bytes:
            break
        kept.append(line.text)
        used, left = used + sizes[number], left - sizes[number]
    return "\n".join([*kept, _rest_line(len(lines) - len(kept), left, plan_id)])


def _rest_line(lines: int, size: int, plan_id: str) -> str:
    return f"… {plural(lines, 'more line')} ({size} bytes) left out; all of it: intendant show {plan_id}"


def _format_time(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC")


def _join(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)
