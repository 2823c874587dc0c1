"""What else one could watch a training with: the rules that our doctor is printed beside, on the same rows."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean, median, stdev

Row = Mapping[str, float]
Rule = Callable[[Iterable[Row]], int | None]
"""Rows of a record -> the step of the first alarm, or None."""

_SPREAD = math.exp(0.25)


def pilot(rows: Iterable[Row]) -> int | None:
    """Two of three statistics of the samples at two probes in a row, after the first ten.

    coverage < 0.10, energy distance > 0.15, |ln dispersion| > 0.25: the rule of the study that came
    before this package, which found 36 of 44 failing trainings of points in the plane.
    """
    num = probes = 0
    for row in rows:
        if "energy_distance" not in row:
            continue
        probes += 1
        signs = (
            not row.get("coverage", 1.0) >= 0.10,
            not row["energy_distance"] <= 0.15,
            not 1 / _SPREAD <= row.get("dispersion", 1.0) <= _SPREAD,
        )
        num = num + 1 if sum(signs) >= 2 and probes > 10 else 0
        if num == 2:
            return int(row["step"])
    return None


def d_accuracy(rows: Iterable[Row]) -> int | None:
    """D ranks more than 99 % or fewer than 10 % of pairs rightly at five probes in a row."""
    num = 0
    for row in rows:
        if "auc" not in row:
            continue
        num = num + 1 if row["auc"] > 0.99 or row["auc"] < 0.1 else 0
        if num == 5:
            return int(row["step"])
    return None


def loss_thresholds(rows: Iterable[Row]) -> int | None:
    """The median of D's loss over 100 rows is below 0.1 in size, or G's above 5: what tutorials warn of."""
    d: deque[float] = deque(maxlen=100)
    g: deque[float] = deque(maxlen=100)
    for row in rows:
        if "loss_d" in row and "loss_g" in row:
            d.append(row["loss_d"])
            g.append(row["loss_g"])
            if len(d) == 100 and (abs(median(d)) < 0.1 or median(g) > 5):
                return int(row["step"])
    return None


def six_sigma(rows: Iterable[Row]) -> int | None:
    """A loss or gradient norm six standard deviations above the mean of its own last 500 values."""
    names = ("loss_g", "loss_d", "grad_norm_g", "grad_norm_d")
    past: dict[str, deque[float]] = {name: deque(maxlen=500) for name in names}
    bars: dict[str, float] = dict.fromkeys(names, math.inf)
    for num, row in enumerate(rows):
        for name in names:
            value = row.get(name)
            if value is None:
                continue
            if not value <= bars[name]:
                return int(row["step"])
            past[name].append(value)
            if num % 50 == 49 and len(past[name]) >= 100:  # the bar moves slowly: it costs a sum
                bars[name] = fmean(past[name]) + 6 * stdev(past[name])
    return None


def nan_only(rows: Iterable[Row]) -> int | None:
    """A signal is not a number."""
    for row in rows:
        if any(math.isnan(value) for value in row.values()):
            return int(row["step"])
    return None


BASELINES: dict[str, Rule] = {
    "pilot rule": pilot,
    "D accuracy": d_accuracy,
    "loss thresholds": loss_thresholds,
    "six sigma": six_sigma,
    "NaN only": nan_only,
}
