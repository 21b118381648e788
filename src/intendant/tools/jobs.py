"""Blocking work beside the event loop, in threads that a cancelled call leaves alone."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from mcp.server.mcpserver import Context

from intendant.errors import NotFoundError

if TYPE_CHECKING:
    from intendant.plans import Plan
    from intendant.runner.base import Progress

T = TypeVar("T")
#: how often progress is looked for; the end of a call is told at once.
_POLL_SECONDS = 0.05


class Job(Generic[T]):
    """One call in a daemon thread: neither a client that gives up nor the end of the server waits for it.

    Args:
        call: gets a function that takes its progress, which may be called from any thread.
    """

    def __init__(self, call: "Callable[[Callable[[Progress], None]], T]") -> None:
        self._call = call
        self._progress: SimpleQueue[Progress] = SimpleQueue()
        self._outcome: T | None = None
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._finished = False
        self._listeners: list[Callable[[], object]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.latest: Progress | None = None
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome = self._call(self._progress.put)
        except BaseException as error:  # noqa: BLE001 (handed to whoever asks for the result)
            self._error = error
        with self._lock:
            self._finished = True
            listeners, self._listeners = self._listeners, []
        for tell in listeners:
            with suppress(RuntimeError):  # its event loop is closed: nobody waits any more
                tell()

    @property
    def finished(self) -> bool:
        """The result, or the error, is there."""
        return self._finished

    def result(self) -> T:
        """What the call returned; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._outcome  # type: ignore[return-value]  # no error: the call has returned a T

    async def wait(self, ctx: Context[Any, Any], seconds: float = float("inf")) -> bool:
        """Wait for the end, passing progress on to the client; False when it goes on after ``seconds``."""
        until = time.monotonic() + seconds
        sent, ended = -1, self._announce_end()
        while True:
            finished = self.finished
            for progress in self._take_progress():
                if progress.done > sent:  # the protocol wants it to increase
                    sent = progress.done
                    message = f"{progress.host}: {progress.task}" if progress.host else progress.task
                    await ctx.report_progress(sent, progress.expected or None, message)
            if finished or time.monotonic() >= until:
                return finished
            with anyio.move_on_after(_POLL_SECONDS):
                await ended.wait()

    def _announce_end(self) -> asyncio.Event:
        """An event of the running loop that is set when the call has ended."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self._finished:
                ended.set()
            else:
                self._listeners.append(lambda: loop.call_soon_threadsafe(ended.set))
        return ended

    def _take_progress(self) -> "list[Progress]":
        taken = []
        try:
            while True:
                taken.append(self._progress.get_nowait())
        except Empty:
            self.latest = taken[-1] if taken else self.latest
            return taken


class Plannings:
    """The plans being made by this server, by the id that they will have."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job[Plan]] = {}

    def start(self, plan_id: str, call: "Callable[[Callable[[Progress], None]], Plan]") -> "Job[Plan]":
        """Begin to plan; the job can be asked for until its result was fetched with ``pop``."""
        job = self._jobs[plan_id] = Job(call)
        return job

    def get(self, plan_id: str) -> "Job[Plan] | None":
        """The job that makes this plan, or None."""
        return self._jobs.get(plan_id)

    def pop(self, plan_id: str) -> "Plan":
        """The plan that was made; raises what planning raised.

        Raises:
            NotFoundError: no such planning.
        """
        if (job := self._jobs.pop(plan_id, None)) is None:
            raise NotFoundError("planning", plan_id, self._jobs)
        return job.result()


async def run_job(ctx: Context[Any, Any], call: "Callable[[Callable[[Progress], None]], T]") -> T:
    """Run a blocking call to its end with progress; when the client gives up, the call goes on by itself."""
    job = Job(call)
    await job.wait(ctx)
    return job.result()
