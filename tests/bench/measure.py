"""Timing in turn: on a noisy machine only what ran side by side can be compared."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Action = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Turns:
    """Seconds of each contestant by name, run in turn: A B C A B C …"""

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """Median of the ratios round by round."""
        pairs = zip(self.seconds[name], self.seconds[to], strict=True)
        return statistics.median(left / right for left, right in pairs)

    def as_json(self, first: str) -> dict[str, object]:
        """Everything; ratios are those of ``first`` to the others."""
        return {
            "seconds": {name: [round(value, 4) for value in values] for name, values in self.seconds.items()},
            "median": {name: round(self.median(name), 4) for name in self.seconds},
            "ratio": {name: round(self.ratio(first, name), 3) for name in self.seconds if name != first},
        }


async def time_in_turn(actions: Mapping[str, Action], rounds: int) -> Turns:
    """Time all of them in turn, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            await action()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return Turns({name: tuple(values) for name, values in seconds.items()})
