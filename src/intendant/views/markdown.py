"""Plans as Markdown for pull-request comments. Pure functions.

Text from hosts and roles appears only inside code spans and fences, where Markdown, HTML, links and mentions are inert.
"""

import re
from urllib.parse import quote

from intendant.cleaning import sanitize
from intendant.errors import InputError
from intendant.plans import Change, HostGroup, Plan, group_hosts
from intendant.views.lines import diff_lines, format_value, join_names, plural, sanitize_line
from intendant.views.text import count_line

#: what an address may hold without ending the brackets around it.
_SAFE = ":/?#[]@!$&'()*+,;=%~"
_MOST_HOSTS = 8


def render_plan(plan: Plan, status: str = "pending", *, max_bytes: int = 0, link: str = "") -> str:
    """The plan as a comment: totals, steps, then each group of identical hosts with its changes and diffs.

    Args:
        max_bytes: at most that many (UTF-8; 0: any number). What does not fit is counted at the end; all changes come
            before the first diff then, so that a long diff cannot push a deletion out of sight.
        link: where all of it can be read, named at the end.
    """
    groups = group_hosts(plan.hosts)
    head = _head(plan, status)
    tail = [f"All of it: <{quote(link, safe=_SAFE)}>"] if link else []
    whole = _join([*head, *(_render_group(group) for group in groups), *tail])
    if not max_bytes or len(whole.encode()) <= max_bytes:
        return whole
    outline = [part for group in groups for part in _outline(group)]
    diffs = [part for group in groups for part in _diffs(group)]
    *title, steps = head
    return _cut([*title, *outline, steps, *diffs], tail, plan.id, max_bytes)


def _head(plan: Plan, status: str) -> list[str]:
    if plan.complete and not plan.applyable:
        title = f"Nothing to change on {plural(len(plan.hosts), 'host')}."
    else:
        title = count_line(plan)
    parts = [f"## {title}", f"{code_span(plan.id)} ({status}) for {code_span(plan.pattern)}"]
    if plan.to_confirm:
        parts.append(f"**To compare:** {code_span(plan.to_confirm)}")
    if not plan.complete:
        parts.append("**Incomplete:** this plan does not show everything that may change.")
    parts.append("\n".join(_step_item(number, plan) for number in range(1, len(plan.steps) + 1)))
    return parts


def _cut(parts: list[str], tail: list[str], plan_id: str, max_bytes: int) -> str:
    """The parts that fit, each whole and in their order, and a line that counts the others."""
    kept: list[str] = []
    left = [len(part.encode()) for part in parts]
    room = max_bytes - len(_join([_rest(len(parts), sum(left), plan_id), *tail]).encode())
    for part in parts:
        size = len(part.encode())
        if size + 2 <= room:
            kept.append(part)
            left.remove(size)
            room -= size + 2
    if not kept:
        raise InputError(f"--max-bytes: {max_bytes} is too few for anything. Allow at least 1000.")
    return _join([*kept, _rest(len(left), sum(left), plan_id), *tail])


def _rest(parts: int, size: int, plan_id: str) -> str:
    return f"**… {plural(parts, 'part')} ({size} bytes) left out.** All of it: {code_span(f'intendant show {plan_id}')}"


def _join(parts: list[str]) -> str:
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
    first, *items = _outline(group)
    parts = [first, "\n".join(items)]
    diffs = [fence(diff, "diff") for _, diff in _shown_diffs(group)]
    if diffs:
        parts.append("\n\n".join([f"<details><summary>{plural(len(diffs), 'diff')}</summary>", *diffs, "</details>"]))
    return "\n\n".join(part for part in parts if part)


def _outline(group: HostGroup) -> list[str]:
    """The heading of a group, and one item for each thing in it."""
    names = ", ".join(code_span(name) for name in group.hosts)
    if group.error is not None:
        return [f"### {names}\n\nCannot be planned and will not be touched:\n\n{fence(sanitize(group.error))}"]
    if not group.changes and not group.blind_spots:
        return [f"### {names}\n\nNothing to change."]
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
    return [f"### {names}", *items]


def _diffs(group: HostGroup) -> list[str]:
    """Each diff of a group as a part that stands alone."""
    where = code_span(join_names(group.hosts, _MOST_HOSTS))
    return [
        f"<details><summary>diff</summary>\n\n{code_span(change.target or change.module)} on {where}\n\n"
        f"{fence(diff, 'diff')}\n\n</details>"
        for change, diff in _shown_diffs(group)
    ]


def _shown_diffs(group: HostGroup) -> list[tuple[Change, str]]:
    found = [(change, "\n".join(line.text for line in diff_lines(change, indent=""))) for change in group.changes]
    return [(change, diff) for change, diff in found if diff]


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
