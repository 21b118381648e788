"""Plans as Markdown for pull-request comments. Pure functions.

Text from hosts and roles appears only inside code spans and fences, where Markdown, HTML, links and mentions are inert.
"""

import re

from intendant.cleaning import sanitize
from intendant.plans import HostGroup, Plan, group_hosts
from intendant.views.lines import diff_lines, format_value, plural, sanitize_line
from intendant.views.text import count_line


def render_plan(plan: Plan, status: str = "pending") -> str:
    """The plan as a comment: totals, steps, then each group of identical hosts with its changes and diffs."""
    if plan.complete and not plan.applyable:
        title = f"Nothing to change on {plural(len(plan.hosts), 'host')}."
    else:
        title = count_line(plan)
    parts = [f"## {title}", f"{code_span(plan.id)} ({status}) for {code_span(plan.pattern)}"]
    if plan.to_confirm:
        parts.append(f"**To compare:** {code_span(plan.to_confirm)}")
    parts.append("\n".join(_step_item(number, plan) for number in range(1, len(plan.steps) + 1)))
    if not plan.complete:
        parts.append("**Incomplete:** this plan does not show everything that may change.")
    parts += [_render_group(group) for group in group_hosts(plan.hosts)]
    return "\n\n".join(part for part in parts if part) + "\n"


def code_span(text: str) -> str:
    """``text`` on one line inside a code span that none of its backticks can end."""
    clean = sanitize_line(text) or " "
    ticks = "`" * (_longest_ticks(clean) + 1)
    pad = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{ticks}{pad}{clean}{pad}{ticks}"


def fence(text: str, language: str = "") -> str:
    """``text`` inside a code fence longer than any run of backticks in it."""
    ticks = "`" * max(3, _longest_ticks(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _step_item(number: int, plan: Plan) -> str:
    step = plan.steps[number - 1]
    params = ", ".join(code_span(f"{name}={format_value(value)}") for name, value in sorted(step.params.items()))
    return f"{number}. {code_span(step.intent)} {params}".rstrip()


def _render_group(group: HostGroup) -> str:
    names = ", ".join(code_span(name) for name in group.hosts)
    if group.error is not None:
        return f"### {names}\n\nCannot be planned and will not be touched:\n\n{fence(sanitize(group.error))}"
    if not group.changes and not group.blind_spots:
        return f"### {names}\n\nNothing to change."
    items = [
        f"- **{change.action}** {code_span(change.target or change.module)} by {code_span(change.task)}"
        + (f" of {code_span(change.role)}" if change.role else "")
        + f" (step {change.step})"
        for change in group.changes
    ]
    items += [
        f"- **cannot be predicted:** {code_span(spot.task)} (step {spot.step}): {code_span(spot.reason)}"
        for spot in group.blind_spots
    ]
    parts = [f"### {names}", "\n".join(items)]
    diffs = ["\n".join(line.text for line in diff_lines(change, indent="")) for change in group.changes]
    if shown := [diff for diff in diffs if diff]:
        summary = f"<details><summary>{plural(len(shown), 'diff')}</summary>"
        parts.append("\n\n".join([summary, *(fence(diff, "diff") for diff in shown), "</details>"]))
    return "\n\n".join(parts)


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
