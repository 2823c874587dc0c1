"""What became of a training, in one word, from the signals of its samples; the same rule for members and for runs."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

Outcome = Literal["healthy", "collapsed", "oscillating", "vanishing", "exploded"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

Row = Mapping[str, float]

LAST = 6
"""Looks at the samples that decide: one look catches an orbit at its best or worst."""

_MOST = 4
_NEEDED = ("energy_distance", "coverage", "modes", "mode_shift", "dispersion", "fixed_z_drift")
_FAR = 10.0
_MOVING = 0.1
_ONE_PLACE = 0.3


def is_well(row: Row) -> bool:
    """Whether samples reach all the data, evenly and closely.

    modes ≥ 0.85, mode_shift < 0.4, energy_distance < 0.05 and coverage ≥ 0.15, all of them free of units and
    taken against reals (``SampleSpace``). One of eight modes missing is about 0.02 in energy distance, a cloud
    in the place of all data 0.05 to 0.1; the bounds of modes and coverage are those of the ward's oracle.
    """
    return (
        row["modes"] >= 0.85
        and row["mode_shift"] < 0.4
        and row["energy_distance"] < 0.05
        and row["coverage"] >= 0.15
    )


def outcome(rows: Iterable[Row]) -> Outcome:
    """One word for a training, from the rows of its record.

    Over the last six rows with sample signals, medians where a number is compared:

        exploded      a loss, gradient or sample was not finite; or samples are over 10 data spreads away
        healthy       at least four rows are well (``is_well``)
        collapsed     dispersion < 0.3: all samples in one place
        oscillating   fixed_z_drift ≥ 0.1, and energy_distance not halved from the first three looks to the
                      last three: samples move by a tenth of the data's spread a look or more, to no end
        collapsed     modes < 0.7, mode_shift > 0.5 or dispersion < 0.5: a part of the data, and it stays so
        vanishing     none of these: the samples rest, or creep, far from the data

    Rules are asked in this order. The bounds were set before any map was compared with single trainings.
    Looks must be a hundred steps or so apart: drift is counted per look.

    Args:
        rows: mappings of signals; those of ``record.jsonl`` of ``steadygan train`` serve as they are.

    >>> good = {"energy_distance": 0.0, "coverage": 0.9, "modes": 1.0, "mode_shift": 0.1, "dispersion": 1.0}
    >>> outcome([{**good, "fixed_z_drift": 0.01}] * 6)
    'healthy'
    >>> outcome([{**good, "modes": 0.1, "fixed_z_drift": 0.01}] * 6)
    'collapsed'
    """
    looks: list[Row] = []
    for row in rows:
        if not all(math.isfinite(v) for k, v in row.items() if k in _NEEDED or _is_of_the_step(k)):
            return "exploded"
        if "energy_distance" in row:
            looks.append(row)
    return _of_looks(looks[-LAST:])


def _is_of_the_step(name: str) -> bool:
    return name.startswith(("loss_d", "loss_g", "grad_norm_"))


def _of_looks(looks: Sequence[Row]) -> Outcome:
    if not looks:
        return "vanishing"
    middle = {name: statistics.median(row.get(name, 0.0) for row in looks) for name in _NEEDED}
    # Far away, energy distance is twice the distance of the centres, in the data's spread.
    if middle["energy_distance"] > 2 * _FAR or middle["dispersion"] > _FAR:
        return "exploded"
    if sum(is_well(row) for row in looks) >= min(_MOST, len(looks)):
        return "healthy"
    if middle["dispersion"] < _ONE_PLACE:
        return "collapsed"
    if middle["fixed_z_drift"] >= _MOVING and not _comes_nearer(looks):
        return "oscillating"
    if middle["modes"] < 0.7 or middle["mode_shift"] > 0.5 or middle["dispersion"] < 0.5:
        return "collapsed"
    return "vanishing"


def _comes_nearer(looks: Sequence[Row]) -> bool:
    """Whether the distance to the data has halved within the looks."""
    half = len(looks) // 2
    if not half:
        return False
    before, after = (
        statistics.median(row["energy_distance"] for row in part)
        for part in (looks[:half], looks[half:])
    )
    return after < 0.5 * before
