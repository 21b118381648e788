"""Timing in pairs: on a noisy machine only what ran side by side can be compared."""

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pairs:
    """Seconds of A and of B, run in turn: A B A B …"""

    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of the ratios pair by pair."""
        return statistics.median(left / right for left, right in zip(self.a, self.b, strict=True))

    def as_json(self) -> dict[str, object]:
        return {
            "a_seconds": [round(value, 3) for value in self.a],
            "b_seconds": [round(value, 3) for value in self.b],
            "a_median": round(statistics.median(self.a), 3),
            "b_median": round(statistics.median(self.b), 3),
            "ratio": round(self.ratio, 3),
        }


async def time_pairs(
    first: Callable[[], Awaitable[object]], second: Callable[[], Awaitable[object]], rounds: int
) -> Pairs:
    """Time both in turn, after one round that is not counted."""
    a: list[float] = []
    b: list[float] = []
    for number in range(rounds + 1):
        for action, times in ((first, a), (second, b)):
            start = time.perf_counter()
            await action()
            if number:
                times.append(time.perf_counter() - start)
    return Pairs(tuple(a), tuple(b))
