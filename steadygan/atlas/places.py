"""Where a number lies on an axis, counted in cells."""

import math
from bisect import bisect_right

from steadygan.atlas.outcome_map import Scale


def position(scale: Scale, value: float) -> float:
    """The place of a value between the centres of cells 0, 1, …; beyond the ends at the last spacing.

    Logarithmic axes are measured in logarithms.

    >>> position(Scale("lr", (0.01, 0.1, 1.0), log=True), 0.1)
    1.0
    """
    if len(scale.values) < 2:
        return 0.0
    if scale.log and value <= 0:
        return -math.inf
    values = [math.log(v) if scale.log else float(v) for v in scale.values]
    at = math.log(value) if scale.log else value
    if math.isinf(at):
        return at
    k = min(max(bisect_right(values, at) - 1, 0), len(values) - 2)
    return round(k + (at - values[k]) / (values[k + 1] - values[k]), 9)


def value_at(scale: Scale, place: float) -> float:
    """The number at a place counted in cells: what ``position`` takes, given back.

    >>> value_at(Scale("lr", (0.01, 0.1, 1.0), log=True), 0.5) == 0.1**1.5
    True
    """
    values = [math.log(v) if scale.log else float(v) for v in scale.values]
    if len(values) < 2:
        return float(scale.values[0])
    k = min(max(math.floor(place), 0), len(values) - 2)
    at = values[k] + (place - k) * (values[k + 1] - values[k])
    return math.exp(at) if scale.log else at
