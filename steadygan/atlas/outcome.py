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

_NEEDED = ("energy_distance", "nearness", "modes", "mode_shift", "dispersion", "fixed_z_drift")
_FAR = 10.0
_NEAR, _AMONG, _EVEN = 0.1, 0.2, 0.3
_MOVING, _SETTLED = 0.1, 0.2
_ONE_PLACE = 0.3
_MODES, _SHIFT, _SPREAD = 0.85, 0.5, 0.5


def outcome(rows: Iterable[Row]) -> Outcome:
    """One word for a training, from the rows of its record.

    Over the rows with sample signals in the second half of the training, at most the last ten, by their medians:

        exploded      a loss, gradient or sample was not finite at any time; or samples are over 10 data spreads
                      away at every one of the later looks
        healthy       energy_distance < 0.1, nearness ≥ 0.2, mode_shift ≤ 0.3, fixed_z_drift < 0.2 and not a part
                      of the data (as below): where the data is, in its proportions, settled, and in all of it but
                      for at most one of eight modes
        collapsed     dispersion < 0.3: all samples in one place, wherever that goes
        oscillating   fixed_z_drift ≥ 0.1, and there already or energy_distance not falling from look to look:
                      samples move by a tenth of the data's spread a look or more, to no end
        collapsed     modes < 0.85, mode_shift > 0.5 or dispersion < 0.5: a part of the data, and it stays so
        vanishing     none of these: the samples rest, or creep, far from the data or between its modes

    Rules are asked in this order, all of them free of units and taken against reals (``SampleSpace``). A cloud in
    the place of a ring of modes is 0.03 to 0.1 in energy distance and reaches every mode, but its nearness is
    0.1; a cloud over a grid or a spiral has a mode_shift of 0.35 and more; two of eight modes missing are as
    little as 0.015 in energy distance, but modes is 0.75. Sharpness (most samples on a mode) is not asked for: it
    takes longer than stability. Medians decide, and what moves is told before where it happens to be, because a
    chaotic game is elsewhere at every look: of two trainings that differ by rounding alone, most should get the
    same word (docs/atlas.md says how many do).
    Looks must be a hundred steps or so apart: drift is counted per look.

    Args:
        rows: mappings of signals; those of ``record.jsonl`` of ``steadygan train`` serve as they are.

    >>> good = {"energy_distance": 0.0, "nearness": 0.9, "modes": 1.0, "mode_shift": 0.1, "dispersion": 1.0}
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


def of_cell(words: Sequence[Outcome]) -> Outcome:
    """One word for several seeds of one setting: healthy where more than half are, else the commonest failure.

    Of failures equally common the first in the order of ``OUTCOMES``. Half and half is no health. A word of
    several seeds is steadier than that of one: where a border passes, single seeds fall to either side by rounding.

    Args:
        words: of the seeds, at least one.

    >>> of_cell(["healthy", "oscillating", "healthy", "healthy"])
    'healthy'
    >>> of_cell(["healthy", "oscillating", "collapsed", "oscillating"])
    'oscillating'
    """
    if 2 * sum(word == "healthy" for word in words) > len(words):
        return "healthy"
    failures = [word for word in words if word != "healthy"]
    return max((word for word in OUTCOMES if word in failures), key=failures.count)


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
    drift = middle["fixed_z_drift"]
    there = middle["energy_distance"] < _NEAR and middle["nearness"] >= _AMONG
    if there and middle["mode_shift"] <= _EVEN and drift < _SETTLED and not part:
        return "healthy"
    if middle["dispersion"] < _ONE_PLACE:
        return "collapsed"
    if drift >= _MOVING and (there or not _comes_nearer(looks)):
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
