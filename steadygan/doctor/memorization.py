"""Memorization: samples sit closer to training points than validation points do."""

import math

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.window import Window

_PROBES = 5
_COPIES = 0.5
_GAP = 0.1


class Memorization(Detector):
    """The generator's samples are copies of the training data, or nearly so.

        median over five probes of  nn_train / nn_validation  <  ½

    with the median distances of fakes and of unseen reals to their nearest training real. New
    samples give 1; averages of data, which blurred generators make, give somewhat less, hence ½. It
    is critical where D shows it as well, by a gap of auc_train − auc_validation above 0.1, and a
    warning otherwise.

    Few trainings go as far as copying outright: on 16 points the ratio reached 0.52. Where it does
    not, ``discriminator_overfitting`` speaks first.

    False alarms and blind spots: samples collapsed to the dense middle of a mode lie close to
    training reals without being copies; data with true duplicates has nn_validation near 0 and
    nothing is said; a probe that holds only a part of the training reals sees only copies of that
    part. Cost: a median of five numbers a probe.

    Source: Meehan, Chaudhuri, Dasgupta (2020), arXiv 2004.05675, with medians for ranks.
    """

    kind = "memorization"
    needs = frozenset({"nn_train", "nn_validation"})
    eases = _PROBES
    hears = frozenset({"nn_train", "nn_validation", "auc_train", "auc_validation"})

    def __init__(self) -> None:
        self._near = Window("nn_train", _PROBES)
        self._train = Window("auc_train", _PROBES)
        self._validation = Window("auc_validation", _PROBES)

    def update(self, row: Row) -> Opinion:
        """Judge a probe."""
        self._train.update(row)
        self._validation.update(row)
        usual = row.get("nn_validation", math.nan)
        if not (math.isfinite(usual) and self._near.update(row)):
            return NotAssessed("distances to training reals were not measured")
        if usual <= 0:
            return NotAssessed("unseen reals coincide with training reals")
        if not self._near.is_full:
            return NotAssessed(f"needs {_PROBES} probes")
        step = int(row["step"])
        near = self._near.middle
        return self._finding(step, near, usual) if near < _COPIES * usual else Healthy(step)

    def _finding(self, step: int, near: float, usual: float) -> Finding:
        evidence = [
            Evidence(
                "nn_train",
                near,
                f"above {_COPIES * usual:.2g}",
                f"half of the samples lie within {near:.2g} of a training real; of unseen reals half "
                f"lie within {usual:.2g}",
            )
        ]
        gap = self._train.middle - self._validation.middle
        if gap > _GAP:
            evidence.append(
                Evidence(
                    "auc_train",
                    gap,
                    f"within {_GAP} of auc_validation",
                    f"D ranks training reals above fakes {self._train.middle:.0%} of the time, reals "
                    f"it has not seen {self._validation.middle:.0%}",
                )
            )
        return Finding(
            kind=self.kind,
            severity="critical" if len(evidence) > 1 else "warning",
            step=step,
            evidence=tuple(evidence),
            causes=(
                Cause("too_few_data", "too few data for networks of this size", ("nn_train",)),
            ),
            remedies=("stop_at_best", "augment", "smaller_discriminator", "raise_r1_weight"),
        )
