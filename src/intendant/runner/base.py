"""What the use cases need of a runner: one method, and the plain values that go in and come out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

TaskStatus = Literal["ok", "changed", "failed", "unreachable", "skipped"]


class Progress(BaseModel):
    """How far a plan or run is; ``expected`` is 0 while nobody knows."""

    model_config = ConfigDict(frozen=True)

    task: str
    host: str = ""
    done: int = 0
    expected: int = 0


@dataclass(frozen=True)
class Job:
    """One ansible-playbook run over a snapshot.

    Args:
        directory: the snapshot: playbook.yml, params.json, roles/, library/.
        hosts: the resolved names; nothing else is touched.
        check: predict only.
        secret_variables: names of inventory variables whose values are masked wherever they occur.
        cancel_file: when this file appears, the job stops before its next task.
    """

    directory: Path
    hosts: tuple[str, ...]
    check: bool
    secret_variables: tuple[str, ...] = ()
    cancel_file: Path | None = None


@dataclass(frozen=True)
class TaskResult:
    """What one task (or one item of its loop) did on one host; text is masked already.

    ``args`` holds the module's arguments as far as they name a target; ``diff`` is as the module reported it;
    ``facts`` what fact gathering says of the host, as far as people ask for it; ``blind_spot`` what one of our
    modules had to assume in check mode.
    """

    host: str
    step: int
    role: str
    task: str
    module: str
    status: TaskStatus
    args: dict[str, Any] = field(default_factory=dict)
    diff: tuple[dict[str, Any], ...] = ()
    item: str = ""
    message: str = ""
    skip_reason: str = ""
    ignored: bool = False
    hidden: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    blind_spot: str = ""


@dataclass(frozen=True)
class Outcome:
    """How the job ended. ``failed_hosts`` are those that Ansible itself counts as failed or unreachable."""

    failed_hosts: frozenset[str]
    finished: bool
    cancelled: bool = False
    error: str = ""


class Runner(Protocol):
    """Runs a job to its end, reporting as it goes."""

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        """Block until the job has ended.

        Args:
            on_result: called for each result.
            on_task: called with the step (from 1) and the name of each task that starts.
            should_cancel: polled; True ends the job at once (for check mode; a real run is stopped by its cancel file).

        Raises:
            EngineError: Ansible could not start or broke off before the end.
        """
        ...
