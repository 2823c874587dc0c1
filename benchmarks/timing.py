"""Contenders take turns in one process, so that whatever slows the machine slows them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of many, and the quartiles around it."""

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Turns:
    """Seconds per call, by contender, round for round."""

    seconds: Mapping[str, list[float]]

    def median_s(self, name: str) -> float:
        """The median time of one call."""
        return statistics.median(self.seconds[name])

    def speedup(self, name: str, over: str) -> Spread:
        """How many times faster than ``over``, from the ratios within each round."""
        pairs = zip(self.seconds[over], self.seconds[name], strict=True)
        return spread([theirs / ours for theirs, ours in pairs])


def take_turns(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int, calls: int = 1, warmup: int = 3
) -> Turns:
    """Every contender once a round, ``calls`` calls a turn; every round starts with another one.

    Args:
        contenders: what to call, by name.
        rounds: turns of each, >= 4.
        calls: calls in one turn: enough for a few milliseconds.
        warmup: calls of each before anything is timed.
    """
    for call in contenders.values():
        for _ in range(warmup):
            call()
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            call = contenders[name]
            began = time.perf_counter()
            for _ in range(calls):
                call()
            seconds[name].append((time.perf_counter() - began) / calls)
    return Turns(seconds)


def spread(values: list[float]) -> Spread:
    """Quartiles and median."""
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))
