"""Collects the results of one job, host by host."""

from collections import defaultdict

from intendant.plans import BlindSpot, Change, HostPlan
from intendant.runner.base import Outcome, TaskResult
from intendant.runner.changes import find_blind_spot, find_change, find_unchained
from intendant.runner.hints import explain_failure
from intendant.runs import HostRun, HostStatus


class Recorder:
    """Feed it every result; ask for plans or runs of hosts at the end, or for runs on the way."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self._changes: dict[str, list[Change]] = defaultdict(list)
        self._blind: dict[str, list[BlindSpot]] = defaultdict(list)
        self._failures: dict[str, TaskResult] = {}
        self._seen: set[str] = set()
        self.tasks_started = 0

    def add(self, result: TaskResult) -> None:
        """Take in one result."""
        self._seen.add(result.host)
        if change := find_change(result):
            self._changes[result.host].append(change)
        if spot := find_blind_spot(result):
            self._blind[result.host].append(spot)
        if result.status in ("failed", "unreachable") and not result.ignored:
            known = self._failures.get(result.host)
            # The item that failed says more than its loop, which only counts.
            if known is None or known.task != result.task or not known.item:
                self._failures[result.host] = result

    def host_plans(self, outcome: Outcome) -> tuple[HostPlan, ...]:
        """What was predicted for each host."""
        return tuple(
            HostPlan(
                host=host,
                changes=tuple(self._changes[host]),
                blind_spots=(*self._blind[host], *find_unchained(self._changes[host])),
                error=self._error(host, outcome),
            )
            for host in self._hosts
        )

    def host_runs(self, outcome: Outcome | None) -> tuple[HostRun, ...]:
        """What was done to each host; ``outcome`` is None while the job goes on or when it was cut off."""
        return tuple(self._host_run(host, outcome) for host in self._hosts)

    def _host_run(self, host: str, outcome: Outcome | None) -> HostRun:
        failure = self._failures.get(host)
        status: HostStatus = "changed" if self._changes[host] else "ok"
        if outcome is None or not outcome.finished:
            status = "unfinished"
        if failure is not None and (outcome is None or host in outcome.failed_hosts):
            status = "unreachable" if failure.status == "unreachable" else "failed"
        elif outcome is not None and host in outcome.failed_hosts:
            status = "failed"
        elif host not in self._seen and status != "unfinished":
            status = "skipped"
        failed = status in ("failed", "unreachable")
        return HostRun(
            host=host,
            status=status,
            changes=tuple(self._changes[host]),
            blind_spots=tuple(self._blind[host]),
            failed_task=failure.task if failed and failure else "",
            message=_explain(failure) if failed and failure else "",
        )

    def _error(self, host: str, outcome: Outcome) -> str | None:
        failure = self._failures.get(host)
        if host in outcome.failed_hosts:
            if failure is None:
                return "The host failed, and Ansible did not say why."
            return f"{failure.task}: {_explain(failure)}"
        if host not in self._seen:
            return "No task ran on this host."
        return None


def _explain(failure: TaskResult) -> str:
    if failure.hidden and not failure.message:
        return "The task failed; what it said is hidden, because it handles a secret (no_log)."
    return explain_failure(failure.message)
