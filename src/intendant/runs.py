"""Runs: the execution of one approved plan, compared with it. Pure, no I/O, no clock."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from intendant.plans import BlindSpot, Change, HostPlan

RunStatus = Literal["queued", "running", "succeeded", "failed", "partial", "cancelled", "interrupted"]
HostStatus = Literal["ok", "changed", "failed", "unreachable", "unfinished", "skipped"]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "partial", "cancelled", "interrupted"})


class HostRun(BaseModel):
    """What one run did to one host; ``message`` is the failing module's own words with what to do next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    status: HostStatus
    changes: tuple[Change, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    failed_task: str = ""
    message: str = ""


class Deviation(BaseModel):
    """A difference between plan and run. ``kind``: planned but not done, done but not planned, or done otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    kind: Literal["missing", "unplanned", "different"]
    task: str
    target: str
    detail: str = ""


class Run(BaseModel):
    """The execution of one approved plan. Times are UTC; ``pid_started`` tells a reused pid from the run's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    plan_id: str
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    #: the machine and process that execute it.
    node: str = ""
    pid: int | None = None
    pid_started: float | None = None
    hosts: tuple[HostRun, ...] = ()
    #: None until the run has ended.
    as_planned: bool | None = None
    deviations: tuple[Deviation, ...] = ()
    message: str = ""
    #: the task in flight and how many tasks have finished so far.
    current_task: str = ""
    tasks_done: int = 0
    tasks_expected: int = 0

    @property
    def finished(self) -> bool:
        """The run will not change any more."""
        return self.status in FINAL


def _key(change: Change) -> tuple[int, str, str, str, str]:
    return (change.step, change.role, change.task, change.module, change.target)


def find_deviations(planned: HostPlan, done: HostRun) -> list[Deviation]:
    """Compare task by task and target by target; a blind spot explains the changes of its own task.

    A task that was a blind spot may change anything without being a deviation: the plan said that it did not know.
    """
    blind = {(spot.step, spot.task) for spot in planned.blind_spots}
    foreseen = [change for change in planned.changes if (change.step, change.task) not in blind]
    happened = [change for change in done.changes if (change.step, change.task) not in blind]
    wanted, found = Counter(map(_key, foreseen)), Counter(map(_key, happened))
    host = planned.host
    deviations = [
        Deviation(host=host, kind="missing", task=key[2], target=key[4], detail="planned, but not done")
        for key in (wanted - found).elements()
    ]
    deviations += [
        Deviation(host=host, kind="unplanned", task=key[2], target=key[4], detail="done, but not planned")
        for key in (found - wanted).elements()
    ]
    deviations += _find_different(host, foreseen, happened)
    return deviations


def _find_different(host: str, planned: Iterable[Change], done: Iterable[Change]) -> list[Deviation]:
    """Pairs of the same task and target whose action or content is not what was planned."""
    left: dict[tuple[int, str, str, str, str], list[Change]] = {}
    for change in planned:
        left.setdefault(_key(change), []).append(change)
    different = []
    for change in done:
        if not (candidates := left.get(_key(change))):
            continue
        expected = candidates.pop(0)
        if (expected.action, expected.before, expected.after) != (change.action, change.before, change.after):
            detail = "the content before or after is not what was planned"
            if expected.action != change.action:
                detail = f"planned {expected.action}, did {change.action}"
            different.append(
                Deviation(host=host, kind="different", task=change.task, target=change.target, detail=detail)
            )
    return different


def conclude_status(hosts: Iterable[HostRun]) -> RunStatus:
    """The status of a run whose process ended by itself."""
    failed = [host.status in ("failed", "unreachable", "unfinished") for host in hosts]
    if not any(failed):
        return "succeeded"
    return "failed" if all(failed) else "partial"
