"""What a check of hosts came to: lines for people, a bounded result for tools. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intendant.views.json import count_bytes, cut_text, to_json
from intendant.views.lines import Line, join_names, plural, sanitize_line
from intendant.views.results import ChecksResult, CheckView, HostCheckView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intendant.reach.results import HostCheck

PAGE_CHECKS = 40
_BUDGET_BYTES = 9_000
_DETAIL_CHARS = 300
_FIX_CHARS = 1_500
_MOST_NAMES = 10


def check_lines(groups: Sequence[Sequence[HostCheck]]) -> list[Line]:
    """Hosts with the same outcome together, those with a problem first; then how many are which."""
    lines: list[Line] = []
    for group in groups:
        first = group[0]
        names = join_names(tuple(host.host for host in group), _MOST_NAMES)
        if first.ok:
            facts = [check.detail for check in first.checks if check.name in ("python", "sudo")]
            lines.append(Line(f"ok    {names}: {sanitize_line(', '.join(facts)) or 'reachable'}"))
            continue
        failed = first.first_failed
        assert failed is not None
        lines.append(Line(f"fail  {names}: {failed.name}: {sanitize_line(first.problem)}", "error"))
        if len(group) == 1 and failed.detail not in first.problem:
            lines.append(Line(f"      {sanitize_line(failed.detail)}", "dim"))
        lines.append(Line(f"      → {sanitize_line(first.fix)}"))
    found = [host for group in groups for host in group]
    good = sum(host.ok for host in found)
    slowest = max((host.seconds for host in found), default=0.0)
    lines.append(Line(f"{good} of {plural(len(found), 'host')} reachable; the slowest took {slowest:.1f} s", "heading"))
    return lines


def build_checks(found: Sequence[HostCheck], total: int, start: int = 0) -> ChecksResult:
    """One page of checked hosts, as the tools answer; ``total`` hosts match, this page begins at ``start``."""
    ordered = sorted(found, key=lambda host: host.ok)
    budget = _BUDGET_BYTES
    views = []
    for host in ordered:
        view = _view_host(host)
        size = count_bytes(to_json(view))
        if size > budget:
            view = _view_host(host, whole=False)
            size = count_bytes(to_json(view))
        budget -= size
        views.append(view)
    good = sum(host.ok for host in found)
    end = start + len(found)
    result = ChecksResult(ok=good == len(found), reachable=good, total=total, hosts=views, next=_next_step(found))
    if end < total:
        result.next_cursor = str(end)
    return result


def whole_checks(found: Sequence[HostCheck]) -> ChecksResult:
    """All hosts with all that was seen."""
    views = [_view_host(host, cut=False) for host in found]
    good = sum(host.ok for host in found)
    return ChecksResult(
        ok=good == len(found), reachable=good, total=len(found), hosts=views, next=_next_step(found), next_cursor=""
    )


def _view_host(host: HostCheck, *, whole: bool = True, cut: bool = True) -> HostCheckView:
    def short(text: str, most: int) -> str:
        return cut_text(text, most) if cut else text

    view = HostCheckView(host=host.host, ok=host.ok, seconds=host.seconds)
    if whole:
        view.checks = [
            CheckView(name=check.name, ok=check.ok, detail=short(check.detail, _DETAIL_CHARS)) for check in host.checks
        ]
    if not host.ok:
        view.problem = short(host.problem, _DETAIL_CHARS * 2)
        view.fix = short(host.fix, _FIX_CHARS)
    return view


def _next_step(found: Sequence[HostCheck]) -> str:
    if all(host.ok for host in found):
        return "All of these can be planned for."
    return (
        "Tell the user each problem with its fix. A person runs the commands: Intendant accepts no host key and "
        "installs no login key. Then check again."
    )
