"""Overfitting of the discriminator: it knows its training reals, not reals."""

import math

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.progress import Progress
from steadygan.doctor.window import Latest, Window

_PROBES = 5
_GAP = 0.1
_WORSE = 1.5
_HARM = 0.1
_COPIES = 0.5
_NARROWER = 0.75


class DiscriminatorOverfitting(Detector):
    """D ranks training reals above fakes clearly more often than it does with reals held out.

        median over five probes of  auc_train − auc_validation  >  0.1

    Both areas are taken against the same fakes, whose noise cancels; 0.1 is four standard errors of
    256 reals. It is a warning by itself: a gap costs little while samples are good. It is critical
    where samples show the harm: e > 0.1 and e > 1.5·ê, with e the energy distance (a median of three
    probes) and ê its best; a dispersion (of five probes) below three quarters of its best while D overfits: samples
    draw in towards what D has not learnt by heart; or copies: ``nn_train`` < ½·``nn_validation``.

    The areas are free of the logits' scale, so that an unbounded critic needs no other rule.

    False alarms and blind spots: a validation set of another kind than the training set, or one of
    fewer than about 100 reals. Without held-out reals nothing is said. Cost: a median of five
    numbers a probe.

    Source: Karras et al. (2020), arXiv 2006.06676, section 3: training and validation logits part
    when D overfits; r_v there is a ratio of mean logits, whose denominator is near 0 at equilibrium.
    """

    kind = "discriminator_overfitting"
    needs = frozenset({"auc_train", "auc_validation"})
    eases = _PROBES
    hears = frozenset({"auc_train", "energy_distance", "dispersion", "nn_train", "nn_validation"})

    def __init__(self) -> None:
        self._progress = Progress()
        self._train = Window("auc_train", _PROBES)
        self._validation = Window("auc_validation", _PROBES)
        self._nearest = Latest("nn_train", "nn_validation")
        self._dispersion = Window("dispersion", _PROBES)
        self._widest = 0.0

    def update(self, row: Row) -> Opinion:
        """Judge a probe."""
        self._progress.update(row)
        self._nearest.update(row)
        self._dispersion.update(row)
        if self._dispersion.is_full:
            self._widest = max(self._widest, min(1.0, self._dispersion.middle))
        if "auc_train" not in row or not all(
            math.isfinite(row.get(name, math.nan)) for name in self.needs
        ):
            return NotAssessed("D was not asked of training and validation reals")
        self._train.update(row)
        self._validation.update(row)
        if not self._train.is_full:
            return NotAssessed(f"needs {_PROBES} probes")
        step = int(row["step"])
        gap = self._train.middle - self._validation.middle
        return self._finding(step, gap) if gap > _GAP else Healthy(step)

    def _finding(self, step: int, gap: float) -> Finding:
        harm = [e for e in (self._worse(), self._narrower(), self._copies()) if e is not None]
        evidence = Evidence(
            "auc_train",
            gap,
            f"within {_GAP} of auc_validation",
            f"D ranks training reals above fakes {self._train.middle:.0%} of the time, reals it has "
            f"not seen {self._validation.middle:.0%}",
        )
        return Finding(
            kind=self.kind,
            severity="critical" if harm else "warning",
            step=step,
            evidence=(evidence, *harm),
            causes=(
                Cause(
                    "too_few_data",
                    "too few data for this D: it learns the training reals by heart",
                    ("auc_train", "auc_validation"),
                ),
            ),
            remedies=("augment", "raise_r1_weight", "smaller_discriminator", "stop_at_best"),
        )

    def _worse(self) -> Evidence | None:
        progress = self._progress
        if not progress.num or progress.energy <= max(_HARM, _WORSE * progress.best):
            return None
        return Evidence(
            "energy_distance",
            progress.energy,
            f"near its best, {max(progress.best, 0.0):.2g}",
            f"the samples' distance to the data has risen to {progress.energy:.2g} from "
            f"{max(progress.best, 0.0):.2g} at step {progress.best_step:,}",
        )

    def _narrower(self) -> Evidence | None:
        if not self._dispersion.is_full or self._dispersion.middle >= _NARROWER * self._widest:
            return None
        return Evidence(
            "dispersion",
            self._dispersion.middle,
            f"near its best, {self._widest:.2g}",
            f"samples spread {self._dispersion.middle:.2g} times as far as reals, {self._widest:.2g} at their best",
        )

    def _copies(self) -> Evidence | None:
        near = self._nearest.get("nn_train", math.nan)
        usual = self._nearest.get("nn_validation", math.nan)
        if not near < _COPIES * usual:
            return None
        return Evidence(
            "nn_train",
            near,
            f"near {usual:.2g}, as for unseen reals",
            f"samples lie {near / usual:.2g} times as far from training reals as unseen reals do",
        )
