"""Oscillation: the game orbits, D now right and now fooled, and the samples come no nearer."""

import math
from collections import deque
from itertools import pairwise
from statistics import median

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.window import Window

_PROBES = 20
_RIGHT, _FOOLED = 0.7, 0.3
_TURNS = 4
_FAR = 0.15
_TRAVEL = 5.0


class Oscillation(Detector):
    """Over twenty probes D changes four times or more between right and fooled, far from the data.

        turns = how often auc goes from above 0.7 to below 0.3 or back     >= 4
        median(e) > 0.15         Σ fixed-z drift > 5 widths of the data

    with ``auc`` D's area on fixed reals and the fakes of fixed latents, e the energy distance.
    Between two probes G has run past D, then D catches up, and so on: the orbit of a game without
    damping. The area leaves [0.3, 0.7] by eight standard errors of 256 samples, so that noise makes
    no turns, and a healthy orbit near the data (small e) is no finding: rotation without harm is
    normal. Both families of evidence are in the rule, so a finding is critical.

    False alarms and blind spots: an orbit faster than the probes shows as chance, one much slower
    than twenty probes as good and bad times; D and G that agree on nothing from the start may turn
    as well, and would be called oscillating, which they are. Cost: twenty comparisons a probe.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, on undamped orbits; the count of
    turns is ours.
    """

    kind = "oscillation"
    needs = frozenset({"auc", "energy_distance", "fixed_z_drift"})
    hears = frozenset({"auc"})

    def __init__(self) -> None:
        self._auc = Window("auc", _PROBES)
        self._energy = Window("energy_distance", _PROBES)
        self._drift = Window("fixed_z_drift", _PROBES)
        self._steps: deque[int] = deque(maxlen=_PROBES)

    def update(self, row: Row) -> Opinion:
        """Judge a probe."""
        self.game.update(row)
        if "auc" not in row or not all(
            math.isfinite(row.get(name, math.nan)) for name in self.needs
        ):
            return NotAssessed("samples and D's area were not measured together")
        for window in (self._auc, self._energy, self._drift):
            window.update(row)
        step = int(row["step"])
        self._steps.append(step)
        far = self._energy.middle > _FAR
        if not far:
            self.game.mark_well(step)
        if not self._auc.is_full:
            return NotAssessed(f"needs {_PROBES} probes")
        num, travel = turns(self._auc.values), sum(self._drift.values)
        if far and num >= _TURNS and travel > _TRAVEL:
            return self._finding(num, travel)
        return Healthy(step)

    def _finding(self, num: int, travel: float) -> Finding:
        energy = median(self._energy.values)
        return Finding(
            kind=self.kind,
            severity="critical",
            step=self._steps[0],
            evidence=(
                Evidence(
                    "auc",
                    float(num),
                    f"fewer than {_TURNS} turns in {_PROBES} probes",
                    f"D changed {num} times between right (auc above {_RIGHT}) and fooled (below "
                    f"{_FOOLED}) within {_PROBES} probes",
                ),
                Evidence(
                    "fixed_z_drift",
                    travel,
                    f"below {_TRAVEL:.0f}",
                    f"meanwhile samples travelled {travel:.2g} times the data's width",
                ),
                Evidence(
                    "energy_distance",
                    energy,
                    f"below {_FAR}",
                    f"and their distance to the data stayed at {energy:.2g}",
                ),
            ),
            causes=(
                *self.game.causes(),
                Cause(
                    "rotation", "steps too large, or momentum, for a game that rotates", ("auc",)
                ),
            ),
            remedies=(
                "raise_r1_weight" if self.game.penalised else "add_r1_penalty",
                "lower_momentum",
                "lower_learning_rate_g",
                "lower_learning_rate_d",
                "average_weights",
            ),
        )


def turns(areas: "deque[float]") -> int:
    """How often a series goes from above 0.7 to below 0.3 or back.

    >>> turns(deque([0.9, 0.5, 0.1, 0.2, 0.8, 0.5, 0.9]))
    2
    """
    sides = [area > _RIGHT for area in areas if area > _RIGHT or area < _FOOLED]
    return sum(a != b for a, b in pairwise(sides))
