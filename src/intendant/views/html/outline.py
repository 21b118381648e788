"""What a plan's page shows, in order and bounded: groups of identical hosts, each change with its diff. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from intendant.plans import BlindSpot, Change, HostGroup, Plan, group_hosts
from intendant.views.html.diffs import Row, count_rows, diff_rows

#: rows of one diff that are shown at once, from its beginning and its end.
HEAD_ROWS = 200
TAIL_ROWS = 60
#: rows of all diffs of a page together; a file of its own may hold more, folded.
PAGE_ROWS = 4_000
FILE_ROWS = 20_000
#: rows on one page of a long diff.
DIFF_PAGE_ROWS = 1_000
_OPEN_GROUPS = 5
_OPEN_ROWS = 120


@dataclass(frozen=True)
class ChangeOutline:
    """One change: its rows as blocks of one kind, and how many rows between head and tail are elsewhere."""

    number: int
    change: Change
    added: int
    removed: int
    head: list[tuple[str, list[Row]]] = field(default_factory=list)
    middle: list[tuple[str, list[Row]]] = field(default_factory=list)
    tail: list[tuple[str, list[Row]]] = field(default_factory=list)
    #: rows between head and tail, whether or not ``middle`` holds them.
    between: int = 0

    @property
    def one_sided(self) -> bool:
        """Nothing stands on one of the sides, so that showing both would waste half of the width."""
        return not self.change.before or not self.change.after

    @property
    def unfolded(self) -> bool:
        """Short enough to be open from the beginning, or too important not to be."""
        return self.change.action == "delete" or self.added + self.removed <= _OPEN_ROWS


@dataclass(frozen=True)
class GroupOutline:
    """Hosts with identical predictions."""

    number: int
    hosts: tuple[str, ...]
    changes: list[ChangeOutline]
    blind_spots: tuple[BlindSpot, ...]
    error: str | None
    unfolded: bool

    @property
    def deletes(self) -> int:
        """How many things are deleted on each of the hosts."""
        return sum(item.change.action == "delete" for item in self.changes)


def outline_plan(plan: Plan, *, whole: bool) -> list[GroupOutline]:
    """All groups and changes of a plan. Numbers count from 1.

    Args:
        whole: keep what lies between the head and the tail of a long diff, for a page that nothing can be fetched for.
    """
    groups = group_hosts(plan.hosts)
    rows_left = FILE_ROWS if whole else PAGE_ROWS
    outlines = []
    for number, group in enumerate(groups, 1):
        changes = []
        for position, change in enumerate(group.changes, 1):
            item = _outline_change(position, change, rows_left, whole=whole)
            rows_left -= sum(len(rows) for blocks in (item.head, item.middle, item.tail) for _, rows in blocks)
            changes.append(item)
        unfolded = len(groups) <= _OPEN_GROUPS or _is_remarkable(group)
        outlines.append(GroupOutline(number, group.hosts, changes, group.blind_spots, group.error, unfolded))
    return outlines


def page_rows(change: Change, page: int) -> tuple[list[tuple[str, list[Row]]], int]:
    """One page (from 1) of a diff with its lines whole, as blocks, and how many pages there are."""
    rows = diff_rows(change, longest=10**9)
    pages = max(1, -(-len(rows) // DIFF_PAGE_ROWS))
    start = (min(max(page, 1), pages) - 1) * DIFF_PAGE_ROWS
    return _make_blocks(rows[start : start + DIFF_PAGE_ROWS]), pages


def _outline_change(number: int, change: Change, rows_left: int, *, whole: bool) -> ChangeOutline:
    rows = diff_rows(change)
    added, removed = count_rows(rows)
    if len(rows) <= min(HEAD_ROWS + TAIL_ROWS, rows_left):
        return ChangeOutline(number, change, added, removed, head=_make_blocks(rows))
    shown = rows_left >= HEAD_ROWS + TAIL_ROWS
    head, tail = (HEAD_ROWS, len(rows) - TAIL_ROWS) if shown else (0, len(rows))
    kept = whole and len(rows) <= rows_left
    return ChangeOutline(
        number,
        change,
        added,
        removed,
        head=_make_blocks(rows[:head]),
        middle=_make_blocks(rows[head:tail]) if kept else [],
        tail=_make_blocks(rows[tail:]),
        between=tail - head,
    )


def _make_blocks(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    return [(kind, list(block)) for kind, block in groupby(rows, key=lambda row: row.kind)]


def _is_remarkable(group: HostGroup) -> bool:
    deleting: Sequence[Change] = [change for change in group.changes if change.action == "delete"]
    return bool(deleting or group.blind_spots or group.error)
