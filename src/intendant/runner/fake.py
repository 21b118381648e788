"""A scripted runner: the same protocol without hosts, for tests of what stands above it."""

from collections.abc import Callable, Sequence

from intendant.runner.base import Job, Outcome, TaskResult


class FakeRunner:
    """Reports the given results for every job; ``jobs`` keeps what it was asked to run.

    Args:
        results: what happens; those of hosts outside of the job are left out.
        failed_hosts: the hosts that count as failed at the end.
    """

    def __init__(self, results: Sequence[TaskResult], failed_hosts: frozenset[str] = frozenset()) -> None:
        self.results = list(results)
        self.failed_hosts = failed_hosts
        self.jobs: list[Job] = []

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        """See ``Runner.run``."""
        self.jobs.append(job)
        started: set[tuple[int, str]] = set()
        for result in self.results:
            if should_cancel():
                return Outcome(failed_hosts=frozenset(), finished=False, cancelled=True)
            if result.host not in job.hosts:
                continue
            if (result.step, result.task) not in started:
                started.add((result.step, result.task))
                on_task(result.step, result.task)
            on_result(result)
        return Outcome(failed_hosts=self.failed_hosts & set(job.hosts), finished=True)
