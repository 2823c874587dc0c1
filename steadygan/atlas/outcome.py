"""What became of a training, in one word, from the signals of its samples; the same rule for members and for runs."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

Outcome = Literal["healthy", "collapsed", "oscillating", "vanishing", "exploded"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

Row = Mapping[str, float]

LAST = 10
"""Looks at the samples that decide, at most: a few catch an orbit at its best or worst."""

_NEEDED = ("energy_distance", "modes", "mode_shift", "dispersion", "fixed_z_drift")
_FAR = 10.0
_NEAR = 0.05
_MOVING = 0.1
_ONE_PLACE = 0.3
_MODES, _SHIFT, _SPREAD = 0.7, 0.5, 0.5


def outcome(rows: Iterable[Row]) -> Outcome:
    """One word for a training, from the rows of its record.

    Over the rows with sample signals in the second half of the training, at most the last ten, by their medians:

        exploded      a loss, gradient or sample was not finite at any time; or samples are over 10 data spreads
                      away at every one of the later looks
        healthy       energy_distance < 0.05 and not a part of the data (as below): near the data, all of it
        collapsed     dispersion < 0.3: all samples in one place, wherever that goes
        oscillating   fixed_z_drift ≥ 0.1, and energy_distance not falling from look to look: samples move by a
                      tenth of the data's spread a look or more, to no end
        collapsed     modes < 0.7, mode_shift > 0.5 or dispersion < 0.5: a part of the data, and it stays so
        vanishing     none of these: the samples rest, or creep, far from the data

    Rules are asked in this order, all of them free of units and taken against reals (``SampleSpace``). One of eight
    modes missing is about 0.02 in energy distance, a cloud in the place of all data 0.05 to 0.1. Sharpness
    is not asked for: it takes longer than stability. Each bound is used once, medians decide, and what moves is
    told before where it happens to be, because a chaotic game is elsewhere at every look: of two trainings that
    differ by rounding alone, most should get the same word (docs/atlas.md says how many do).
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
    return _of_looks(looks[-min(LAST, -(-len(looks) // 2)) :] if looks else [])


def _is_of_the_step(name: str) -> bool:
    return name.startswith(("loss_d", "loss_g", "grad_norm_"))


def _of_looks(looks: Sequence[Row]) -> Outcome:
    if not looks:
        return "vanishing"
    middle = {name: statistics.median(row.get(name, 0.0) for row in looks) for name in _NEEDED}
    later = looks[len(looks) // 2 :]
    # Far away, energy distance is twice the distance of the centres, in the data's spread.
    if min(row["energy_distance"] for row in later) > 2 * _FAR:
        return "exploded"
    part = (
        middle["modes"] < _MODES or middle["mode_shift"] > _SHIFT or middle["dispersion"] < _SPREAD
    )
    if middle["energy_distance"] < _NEAR and not part:
        return "healthy"
    if middle["dispersion"] < _ONE_PLACE:
        return "collapsed"
    if middle["fixed_z_drift"] >= _MOVING and not _comes_nearer(looks):
        return "oscillating"
    return "collapsed" if part else "vanishing"


def _comes_nearer(looks: Sequence[Row]) -> bool:
    """Whether every later look is nearer to the data than every earlier one."""
    half = len(looks) // 2
    if not half:
        return False
    before, after = (
        [row["energy_distance"] for row in part] for part in (looks[:half], looks[half:])
    )
    return max(after) < min(before)
