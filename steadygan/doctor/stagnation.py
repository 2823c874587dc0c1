"""Stagnation: no measurable progress long before the data is matched."""

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, Opinion
from steadygan.doctor.progress import FAR, UNMEASURED, Progress
from steadygan.doctor.window import Window

_PROBES = 5
_SEPARATES = 0.9
_STILL = 0.005


class Stagnation(Detector):
    """The samples never came near the data, and have come no nearer for a fifth of the run.

        all e > 0.15   and   no e < 0.9·best for 10 probes and for a fifth of all probes so far
        and not   max of the last five e  <  min of the five before

    with e the energy distance, a median of three probes. Samples that were near once have diverged
    or collapsed; those still creeping down are slow. It is critical where the game agrees: the
    median of D's area ``auc`` over five probes is above 0.9, so that D sees the difference as well
    and G does not use it, and where the stall has passed what a slow start looks like
    (``Progress.hopeless``). Without ``auc``, or with one that is low (which is another kind), it is a
    warning.

    A learning rate of 0 in the record, as at the end of a schedule, makes it a warning: the run is
    over, not stuck.

    False alarms and blind spots: a training so slow that it gains less than a tenth in a fifth of
    its length is called stagnant, and in effect it is; a run that stops improving at e < 0.15 is
    taken for matched. Cost: a median of three numbers a probe.

    Source: the two conditions (no gain, and far from the null) are those of ``docs/doctor.md``; ours.
    """

    kind = "stagnation"
    needs = frozenset({"energy_distance"})
    hears = frozenset({"energy_distance", "auc", "fixed_z_drift"})

    def __init__(self) -> None:
        self._progress = Progress()
        self._auc = Window("auc", _PROBES)
        self._drift = Window("fixed_z_drift", _PROBES)

    def update(self, row: Row) -> Opinion:
        """Judge a probe."""
        self.game.update(row)
        self._auc.update(row)
        self._drift.update(row)
        if not self._progress.update(row):
            return UNMEASURED
        if not self._progress.stalled or self._progress.best <= FAR:
            return Healthy(self._progress.step)
        return self._finding()

    def _finding(self) -> Finding:
        area = self._auc.middle
        agrees = self._auc.is_full and area > _SEPARATES
        evidence = [self._progress.evidence()]
        if agrees:
            evidence.append(
                Evidence(
                    "auc",
                    area,
                    f"below {_SEPARATES}",
                    f"D ranks {area:.0%} of pairs of a real and a fake rightly: it sees the difference",
                )
            )
        over = self.game.rate("g", 1.0) == 0
        return Finding(
            kind=self.kind,
            severity="critical" if agrees and self._progress.hopeless and not over else "warning",
            step=self._progress.stalled_since,
            evidence=tuple(evidence),
            causes=self._causes(over=over),
            remedies=(
                ("restart",)
                if over
                else ("raise_learning_rate_g", "lower_learning_rate_d", "widen_generator")
            ),
        )

    def _causes(self, *, over: bool) -> tuple[Cause, ...]:
        if over:
            return (Cause("learning_rate_zero", "the generator's learning rate is 0", ("lr_g",)),)
        causes = []
        if self._drift.middle < _STILL:
            causes.append(
                Cause(
                    "generator_too_slow",
                    "the generator hardly moves: between two probes samples go "
                    f"{self._drift.middle:.2g} of the data's width",
                    ("fixed_z_drift",),
                )
            )
        causes += [*self.game.blindness(), *self.game.causes()]
        causes.append(
            Cause(
                "generator_too_small",
                "the generator moves but is too small for the data",
                ("energy_distance",),
            )
        )
        return tuple(causes)
