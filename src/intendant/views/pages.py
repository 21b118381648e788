"""A plan as a bounded, paged result. Pure functions.

What a plan shows is a list of items: the hosts of a group (in chunks), its changes, its blind spots. A page takes as
many as fit. Concise pages keep every change in sight and shorten the diffs evenly; full pages keep the diffs whole, and
one that is longer than a page goes on in the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from intendant.approvals import Approval, review_command
from intendant.errors import InputError, NotFoundError
from intendant.plans import ACTIONS, HostGroup, Plan, group_hosts
from intendant.views.json import count_bytes, cut_text, format_time, to_json
from intendant.views.results import ApprovalView, BlindSpotView, ChangeView, GroupView, PlanResult

Detail = Literal["concise", "full"]
#: what a concise page aims at, diffs included; and how far the list of changes may go beyond it without turning a page.
_CONCISE_BYTES = 3_000
_CONCISE_ROWS_BYTES = 8_000
_FULL_BYTES = 7_500
_LEAST_DIFF = 80
_HOSTS_PER_ITEM = 60
_ERROR_CHARS = 800
_NAME_CHARS = 300
#: what a shortened diff says at its end, at most.
_CUT_MARK = 30


@dataclass(frozen=True)
class _Item:
    group: int
    hosts: tuple[str, ...] = ()
    change: ChangeView | None = None
    blind_spot: BlindSpotView | None = None

    @property
    def diff(self) -> str:
        return self.change.diff if self.change else ""

    @property
    def base_bytes(self) -> int:
        """Size without the diff."""
        if self.change:
            return count_bytes(to_json(self.change.model_copy(update={"diff": ""})))
        return count_bytes(to_json(self.blind_spot) if self.blind_spot else self.hosts)

    def without_header(self) -> "_Item":
        """The diff without the two lines that name the target once more."""
        lines = self.diff.split("\n", 2)
        return self.with_diff(lines[2]) if len(lines) == 3 and lines[0].startswith("--- ") else self

    def with_diff(self, diff: str) -> "_Item":
        assert self.change is not None
        return _Item(self.group, change=self.change.model_copy(update={"diff": diff}))


def build_plan(
    plan: Plan,
    status: str,
    *,
    approval: Approval | None = None,
    host: str = "",
    cursor: str = "",
    detail: Detail = "concise",
) -> PlanResult:
    """A plan, or the page of it that ``cursor`` names; ``host`` keeps one host only. ``status`` as in PlanResult,
    ``approval`` is the unused one, if there is one.

    Raises:
        NotFoundError: the plan has no such host.
        InputError: the cursor is none of ours.
    """
    chosen = [item for item in plan.hosts if not host or item.host == host]
    if not chosen:
        raise NotFoundError("host", host, [item.host for item in plan.hosts], f"Hosts of plan {plan.id} are meant.")
    groups = group_hosts(tuple(chosen))
    items = _list_items(groups)
    start, offset = _read_cursor(cursor, items)
    page, next_cursor = (_fill_full if detail == "full" else _fill_concise)(items, start, offset)
    whole = items[start : start + len(page)]
    cut = detail == "concise" and any(
        not item.diff.endswith(shown.diff) for item, shown in zip(whole, page, strict=True)
    )
    result = PlanResult(
        plan_id=plan.id,
        digest=plan.digest,
        status=status,
        complete=plan.complete,
        applyable=plan.applyable,
        errored=plan.errored,
        expires_at=format_time(plan.expires_at),
        counts={action: plan.counts[action] for action in ACTIONS},
        groups=_assemble(groups, page),
        approval=_view_approval(plan, approval),
        next=" ".join(
            [_next_of_plan(plan, status, approved=approval is not None), *_paging(plan.id, cut, next_cursor, detail)]
        ),
    )
    if next_cursor:
        result.next_cursor = next_cursor
    return result


def _view_approval(plan: Plan, approval: Approval | None) -> ApprovalView:
    view = ApprovalView(
        required=bool(plan.approval_channels) and approval is None,
        channels=list(plan.approval_channels),
        reason=f"{plan.approval_reason}. {plan.to_confirm}" if plan.to_confirm else plan.approval_reason,
    )
    if approval is not None:
        view.given, view.by, view.channel = True, approval.who, approval.channel
    return view


def _list_items(groups: Sequence[HostGroup]) -> list[_Item]:
    items: list[_Item] = []
    for number, group in enumerate(groups):
        chunks = [group.hosts[i : i + _HOSTS_PER_ITEM] for i in range(0, len(group.hosts), _HOSTS_PER_ITEM)]
        items.append(_Item(number, hosts=chunks[0]))
        for change in group.changes:
            shown = ChangeView(
                step=change.step,
                role=change.role,
                task=cut_text(change.task, _NAME_CHARS),
                module=change.module,
                target=cut_text(change.target, _NAME_CHARS),
                action=change.action,
                diff=change.diff,
            )
            items.append(_Item(number, change=shown))
        for spot in group.blind_spots:
            view = BlindSpotView(task=cut_text(spot.task, _NAME_CHARS), reason=cut_text(spot.reason, _NAME_CHARS))
            items.append(_Item(number, blind_spot=view))
        items += [_Item(number, hosts=chunk) for chunk in chunks[1:]]
    return items


def _fill_concise(items: Sequence[_Item], start: int, _offset: int) -> tuple[list[_Item], str]:
    end, left = start, _CONCISE_ROWS_BYTES
    while end < len(items):
        left -= items[end].base_bytes + min(count_bytes(items[end].diff), _LEAST_DIFF)
        if left < 0 and end > start:
            break
        end += 1
    page = [item.without_header() for item in items[start:end]]
    left = _CONCISE_BYTES - sum(item.base_bytes for item in page)
    limit = _share(sorted(count_bytes(item.diff) for item in page if item.diff), left)
    return [_shorten(item, limit) for item in page], str(end) if end < len(items) else ""


def _share(sizes: Sequence[int], budget: int) -> int:
    """The limit per diff with which they fit: short ones whole, what they leave over goes to the long ones."""
    for index, size in enumerate(sizes):
        limit = budget // (len(sizes) - index)
        if size > limit:
            return max(limit, _LEAST_DIFF)
        budget -= size
    return sizes[-1] if sizes else 0


def _shorten(item: _Item, limit: int) -> _Item:
    size = count_bytes(item.diff)
    if not item.diff or size <= limit:
        return item
    # In proportion: what is escaped or not ASCII takes more than a byte per character.
    keep = max(0, len(item.diff) * (limit - _CUT_MARK) // size)
    return item.with_diff(cut_text(item.diff, keep))


def _fill_full(items: Sequence[_Item], start: int, offset: int) -> tuple[list[_Item], str]:
    page: list[_Item] = []
    left = _FULL_BYTES
    for index in range(start, len(items)):
        item = items[index]
        if offset:
            item, offset = item.with_diff(item.diff[offset:]), 0
        size = item.base_bytes + count_bytes(item.diff)
        if size <= left:
            page.append(item)
            left -= size
        elif page:
            return page, str(index)
        elif not item.diff:
            page.append(item)
            left = 0
        else:
            keep = max(1, len(item.diff) * (left - item.base_bytes) // max(1, count_bytes(item.diff)))
            done = len(items[index].diff) - len(item.diff) + keep
            return [item.with_diff(item.diff[:keep])], f"{index}.{done}"
    return page, ""


def _assemble(groups: Sequence[HostGroup], page: Sequence[_Item]) -> list[GroupView]:
    """The page's items by group; a group that goes on from an earlier page names its first host again."""
    views = []
    for number in dict.fromkeys(item.group for item in page):
        group, own = groups[number], [item for item in page if item.group == number]
        hosts = [host for item in own for host in item.hosts] or [group.hosts[0]]
        view = GroupView(
            hosts=hosts,
            changes=[item.change for item in own if item.change],
            blind_spots=[item.blind_spot for item in own if item.blind_spot],
            error=None if group.error is None else cut_text(group.error, _ERROR_CHARS),
        )
        if len(hosts) < len(group.hosts):
            view.more_hosts = len(group.hosts) - len(hosts)
        views.append(view)
    return views


def _read_cursor(cursor: str, items: Sequence[_Item]) -> tuple[int, int]:
    index, _, offset = (cursor or "0").partition(".")
    if all(part.isascii() and part.isdigit() and len(part) < 10 for part in (index, offset or "0")):
        start, skip = int(index), int(offset or 0)
        if start < len(items) and (skip == 0 or skip < len(items[start].diff)):
            return start, skip
    raise InputError("cursor: pass next_cursor of the previous page, with the same host and detail, or leave it out.")


def _paging(plan_id: str, cut: bool, next_cursor: str, detail: Detail) -> list[str]:
    says = []
    if cut:
        says.append(f"Diffs are shortened: get_plan(plan_id='{plan_id}', detail='full') has them whole.")
    if next_cursor:
        more = ", detail='full'" if detail == "full" else ""
        says.append(f"More of this plan: get_plan(plan_id='{plan_id}', cursor='{next_cursor}'{more}).")
    return says


def _next_of_plan(plan: Plan, status: str, *, approved: bool) -> str:
    if status == "applied":
        return "It was applied already: list_history names its run."
    if status != "pending":
        return f"This plan is {status}: plan again."
    if not plan.applyable:
        if plan.errored:
            return "No host could be planned: tell the user each error, mend its cause, then plan again."
        return "Nothing to change: the hosts are already as asked."
    told = "Show the user the changes and diffs"
    if not plan.complete:
        told += ", and say what could not be predicted or planned"
    if not plan.approval_channels or approved:
        how = "policy approves it" if not approved else "it is approved"
        return f"{told}; {how}, so after the user's word call apply_plan(plan_id='{plan.id}')."
    return (
        f"{told}, then call apply_plan(plan_id='{plan.id}'): it asks the user for approval where the client can. "
        f"Otherwise a person runs: {review_command(plan.id, plan.approval_channels)}"
    )
