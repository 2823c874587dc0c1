"""An overpowering discriminator: it separates with saturation, and the generator makes no progress."""

import math

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.progress import Progress
from steadygan.doctor.window import Window

_PROBES = 10
_SATURATED, _NEVER = 0.99, 0.9
_APART = 3.0


class DiscriminatorOverpowering(Detector):
    """D ranks nearly every real above every fake, and the samples come no nearer.

        median(auc) > 0.99, min(auc) > 0.9, median(d′) > 3   over ten probes
        and  e > 0.15  and  no e < 0.9·best for 10 probes and a fifth of all probes so far

    with e the energy distance. The area and d′ are of ranks and of the logits' own spread, so that
    an unbounded Wasserstein critic is judged like any other. d′ is left out where it is not
    recorded. Both families of evidence are in the rule; a finding is critical once the stall has
    passed what a slow start looks like (``Progress.hopeless``), and a warning before.

    A strong D that still teaches is no finding: early in training the area is about 1, and energy
    distance falls. So is a hinge loss of exactly 0.

    False alarms and blind spots: a G that cannot move for another reason (its learning rate, dead
    units, a wrong wiring) ends in the same picture; what the record says of that is listed among
    the causes. A difference that D sees and no generator can mend (data in another range, labels
    that leak) looks the same, too. Cost: two medians of ten numbers a probe.

    Source: Arjovsky, Bottou (2017), arXiv 1701.04862, theorem 2.4, on perfect discriminators; the
    rule is ours.
    """

    kind = "discriminator_overpowering"
    needs = frozenset({"auc", "energy_distance"})
    hears = frozenset({"auc", "energy_distance", "d_prime"})

    def __init__(self) -> None:
        self._progress = Progress()
        self._auc = Window("auc", _PROBES)
        self._apart = Window("d_prime", _PROBES)

    def update(self, row: Row) -> Opinion:
        """Judge a probe."""
        self.game.update(row)
        judged = self._auc.update(row)
        self._apart.update(row)
        measured = self._progress.update(row)
        if not judged or not self._auc.is_full or self._progress.num == 0:
            return NotAssessed(f"needs {_PROBES} probes of auc and energy_distance")
        if not measured:
            return NotAssessed("samples were not measured")
        saturated = self._auc.middle > _SATURATED and min(self._auc.values) > _NEVER
        apart = not self._apart.values or self._apart.middle > _APART
        if saturated and apart and self._progress.stalled:
            return self._finding()
        if not self._progress.stalled:
            self.game.mark_well(self._progress.step)
        return Healthy(self._progress.step)

    def _finding(self) -> Finding:
        area, apart = self._auc.middle, self._apart.middle
        widths = (
            "" if math.isnan(apart) else f"; their logits lie {apart:.2g} of their spreads apart"
        )
        evidence = Evidence(
            "auc",
            area,
            f"below {_SATURATED}",
            f"D ranks {area:.1%} of pairs of a real and a fake rightly{widths}",
        )
        return Finding(
            kind=self.kind,
            severity="critical" if self._progress.hopeless else "warning",
            step=self._progress.stalled_since,
            evidence=(evidence, self._progress.evidence()),
            causes=self._causes(),
            remedies=(
                "lower_learning_rate_d",
                "raise_r1_weight" if self.game.penalised else "add_r1_penalty",
                "instance_noise",
                "roll_back",
            ),
        )

    def _causes(self) -> tuple[Cause, ...]:
        given_away = Cause(
            "samples_given_away",
            "something that G cannot change gives its samples away: their range, their labels, "
            "or batch statistics in D",
            ("auc",),
        )
        return (*self.game.causes(), given_away)
