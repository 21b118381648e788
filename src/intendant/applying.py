"""Starting, watching and cancelling runs, from whichever process a person or a model talks to."""

import json
import os
import platform
import select
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from intendant.config import Config
from intendant.errors import BusyError, EngineError, IntendantError, restore_error
from intendant.executing import cancel_file
from intendant.planning import new_id
from intendant.processes import read_start
from intendant.runner.base import Progress
from intendant.runs import Run
from intendant.store import Store

_POLL_SECONDS = 0.2
_START_SECONDS = 180


class Applier:
    """A run lives in a process of its own: nothing here has to live as long as the run."""

    def __init__(self, config: Config, store: Store, now: Callable[[], datetime]) -> None:
        self._config = config
        self._store = store
        self._now = now

    def apply_plan(
        self, plan_id: str, *, wait_seconds: float = 20, on_progress: Callable[[Progress], None] = lambda _: None
    ) -> Run:
        """Start the run of an approved plan and wait for it at most ``wait_seconds``.

        While a host is busy with another run, starting is tried again until the time is over.

        Raises:
            RefusedError: not approved, stale, used or busy; nothing was changed and the message says why.
            EngineError: the run's process could not start.
        """
        deadline = time.monotonic() + wait_seconds
        while True:
            self.reap()
            try:
                run_id = self._start(plan_id)
                break
            except BusyError:
                if time.monotonic() + 1 >= deadline:
                    raise
                time.sleep(1)
        return self.wait_run(run_id, max(0.0, deadline - time.monotonic()), on_progress)

    def wait_run(
        self, run_id: str, wait_seconds: float = 0, on_progress: Callable[[Progress], None] = lambda _: None
    ) -> Run:
        """The run, finished or as it stands after ``wait_seconds``.

        Raises:
            NotFoundError: no run has this id.
        """
        deadline = time.monotonic() + wait_seconds
        shown = None
        while True:
            run = self._reap_run(self._store.get_run(run_id))
            progress = Progress(task=run.current_task, done=run.tasks_done, expected=run.tasks_expected)
            if progress != shown and run.current_task:
                on_progress(progress)
                shown = progress
            if run.finished or time.monotonic() >= deadline:
                return run
            time.sleep(_POLL_SECONDS)

    def cancel_run(self, run_id: str) -> Run:
        """Ask a run to stop after the task in flight; a finished one is returned as it is.

        Raises:
            NotFoundError: no run has this id.
        """
        run = self._reap_run(self._store.get_run(run_id))
        if not run.finished:
            flag = cancel_file(self._config, run_id)
            flag.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flag.touch()
        return run

    def reap(self) -> None:
        """Mark runs whose process has died as interrupted, and free their hosts."""
        for run in self._store.active_runs():
            self._reap_run(run)

    def _reap_run(self, run: Run) -> Run:
        if run.finished or run.node != platform.node() or _is_alive(run.pid, run.pid_started):
            return run
        run = self._store.get_run(run.id)  # it may have ended between our look and its last word
        if run.finished:
            return run
        message = "The run's own process died. What it did so far is listed; plan again to see what is left."
        hosts = tuple(
            host.model_copy(update={"status": "unfinished"}) if host.status in ("ok", "changed") else host
            for host in run.hosts
        )
        ended = {"status": "interrupted", "message": message, "ended_at": self._now(), "as_planned": False}
        run = run.model_copy(update={**ended, "hosts": hosts, "current_task": ""})
        self._store.save_run(run)
        return run

    def _start(self, plan_id: str) -> str:
        run_id = new_id("run")
        folder = self._config.state_dir / "runs" / run_id
        folder.mkdir(parents=True, mode=0o700)
        command = [sys.executable, "-P", "-m", "intendant.worker", "--plan", plan_id, "--run", run_id]
        reading, writing = os.pipe()
        try:
            with (folder / "log").open("wb") as log:
                process = subprocess.Popen(
                    [*command, "--project", str(self._config.project_dir), "--answer-fd", str(writing)],
                    cwd=self._config.project_dir,
                    env={**os.environ, "INTENDANT_STATE_DIR": str(self._config.state_dir)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(writing,),
                )
                process.wait()  # it only forks the run's own process, which is nobody's child
        except OSError as error:
            raise EngineError(f"The run's process could not start: {error}") from error
        finally:
            os.close(writing)
        answer = _read_answer(reading)
        if answer == {"started": run_id}:
            return run_id
        _remove_empty(folder)
        raise _refusal(answer, folder)


def _read_answer(reading: int) -> dict[str, object]:
    """The worker's one line: that it started, or why it refuses; empty when it died or was too slow."""
    with os.fdopen(reading, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], _START_SECONDS)
        line = pipe.readline() if ready else b""
    return dict(json.loads(line)) if line else {}


def _refusal(answer: dict[str, object], folder: Path) -> IntendantError:
    error = restore_error(str(answer.get("refused", "")), str(answer.get("message", "")))
    return error or EngineError(f"The run's process ended before it started the run; see {folder / 'log'}.")


def _remove_empty(folder: Path) -> None:
    log = folder / "log"
    if log.exists() and log.stat().st_size == 0:
        log.unlink()
        folder.rmdir()


def _is_alive(pid: int | None, started: float | None) -> bool:
    return pid is not None and started is not None and read_start(pid) == started
