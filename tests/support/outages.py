"""What goes wrong between this machine and a lab host: a cut wire, and how much memory that takes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from lab.commands import run_tool
from lab.errors import LabError
from lab.hosts import LabHost
from lab.network import wire_name
from lab.registry import read_hosts


@contextmanager
def cut_network(host: LabHost, *, after: float = 0, seconds: float = 0) -> Iterator[None]:
    """The host's wire is unplugged ``after`` some seconds, so that nothing is refused and nothing answers.

    It is plugged in again at the end of the block, or after that many ``seconds``.
    """
    [index] = [record.index for record in read_hosts() if record.name == host.name]

    def set_wire(state: str) -> None:
        run_tool(["ip", "link", "set", wire_name(index), state])

    timers = [threading.Timer(after, set_wire, ["down"])]
    if seconds:
        timers.append(threading.Timer(after + seconds, set_wire, ["up"]))
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.join()
        set_wire("up")


def await_ssh(host: LabHost, seconds: float = 60) -> None:
    """Wait until the host lets somebody in. Raises LabError when it does not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            host.run("true", timeout=15)
        except LabError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


class MemoryWatch:
    """The most resident memory (bytes) that this process and those it started had, by looking every 20 ms.

    >>> with MemoryWatch() as watch: ...
    >>> watch.growth
    """

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._before = self._resident()
        self._most = self._before

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        """By how much it was more than at the start."""
        return self._most - self._before

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self._most = max(self._most, self._resident())

    @staticmethod
    def _resident() -> int:
        own = psutil.Process()
        total = 0
        for process in (own, *own.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total
