"""The last few values of a signal, and the last one of several."""

import math
from collections import deque
from statistics import median

from steadygan.doctor.detector import Row


class Window:
    """The last ``num`` values that are numbers of a signal.

    Args:
        signal: its name.
        num: how many to keep, >= 1.
    """

    def __init__(self, signal: str, num: int) -> None:
        self.signal = signal
        self.values: deque[float] = deque(maxlen=num)

    def update(self, row: Row) -> bool:
        """Take note of one more row; True where the signal was measured in it."""
        value = row.get(self.signal)
        # An infinite value is a value, of d' for instance; NaN is none.
        if value is None or math.isnan(value):
            return False
        self.values.append(value)
        return True

    @property
    def is_full(self) -> bool:
        """Whether all of it has been seen."""
        return len(self.values) == self.values.maxlen

    @property
    def middle(self) -> float:
        """The median; NaN before the first value."""
        return median(self.values) if self.values else math.nan


class Latest:
    """The last value of each of some signals, as far as there has been one.

    Args:
        signals: their names.
    """

    def __init__(self, *signals: str) -> None:
        self.signals = signals
        self.values: dict[str, float] = {}

    def update(self, row: Row) -> None:
        """Take note of one more row."""
        for name in self.signals:
            if name in row:
                self.values[name] = row[name]

    def get(self, name: str, default: float) -> float:
        """The last value, or the default before there is one."""
        return self.values.get(name, default)
