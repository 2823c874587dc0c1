"""An underpowered discriminator: it cannot separate what a simple test easily separates."""

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.progress import Progress
from steadygan.doctor.window import Latest, Window

_PROBES = 10
_BLIND, _NEVER = 0.6, 0.8
_REVERSED = 0.4
_EASY = 0.65


class DiscriminatorUnderpowered(Detector):
    """D cannot tell reals from fakes, or tells them the wrong way round, although they differ much.

        median(auc) < 0.6, max(auc) < 0.8 over ten probes
        and  e > 0.15  and  no e < 0.9·best for 10 probes and a fifth of all probes so far

    with e the energy distance: the two-sample test that shows the difference without D. This is the
    picture that losses cannot tell from convergence: D's loss is that of a fair coin in both. A
    finding has both families of evidence; it is critical once the stall has passed what a slow start
    looks like (``Progress.hopeless``), and a warning before. Where ``c2st`` (a linear classifier on
    frozen features, on held-out samples) is recorded and above 0.65, it joins the evidence; it is no
    condition, because a linear classifier does not see a ring from its centre.

    A D whose slope is the same everywhere is linear: it may be at rest, and is no more than a warning.

    False alarms and blind spots: while the generator runs in circles around D the area is now low,
    now high, with a median near ½; the condition on the largest keeps that apart. Where energy
    distance sees a difference that is none to a person (another mix of classes), D may be right.
    Cost: a median of ten numbers a probe.

    Source: the classifier test: Lopez-Paz, Oquab (2017), arXiv 1610.06545; the rule is ours, from
    the pilot in which dead and converged discriminators had the same losses.
    """

    kind = "discriminator_underpowered"
    needs = frozenset({"auc", "energy_distance"})
    hears = frozenset({"auc", "energy_distance", "c2st", "update_ratio_d"})

    def __init__(self) -> None:
        self._progress = Progress()
        self._auc = Window("auc", _PROBES)
        self._c2st = Window("c2st", _PROBES)
        self._row = Latest("update_ratio_d")

    def update(self, row: Row) -> Opinion:
        """Judge a probe."""
        self.game.update(row)
        self._row.update(row)
        judged = self._auc.update(row)
        self._c2st.update(row)
        measured = self._progress.update(row)
        if not judged or not self._auc.is_full:
            return NotAssessed(f"needs {_PROBES} probes of auc")
        if not measured:
            return NotAssessed("samples were not measured")
        blind = self._auc.middle < _BLIND and max(self._auc.values) < _NEVER
        if blind and self._progress.stalled:
            return self._finding()
        return Healthy(self._progress.step)

    def _finding(self) -> Finding:
        area = self._auc.middle
        what = "takes fakes for reals" if area < _REVERSED else "cannot tell reals from fakes"
        evidence = [
            self._progress.evidence(),
            Evidence(
                "auc",
                area,
                f"above {_BLIND} while samples are far",
                f"D {what}: it ranks {area:.0%} of pairs rightly, chance is 50%",
            ),
        ]
        if self._c2st.middle > _EASY:
            evidence.append(
                Evidence(
                    "c2st",
                    self._c2st.middle,
                    "near 0.5 when matched",
                    f"a linear classifier on fixed features is right {self._c2st.middle:.0%} of the time",
                )
            )
        # A linear D may be at rest: the means agree, which is all that it plays for.
        linear = self.game.blindness()
        stronger = "lower_r1_weight" if self.game.penalised else "widen_discriminator"
        return Finding(
            kind=self.kind,
            severity="critical" if self._progress.hopeless and not linear else "warning",
            step=self._progress.stalled_since,
            evidence=tuple(evidence),
            causes=self._causes(area),
            remedies=("raise_learning_rate_d", "more_discriminator_steps", stronger, "restart"),
        )

    def _causes(self, area: float) -> tuple[Cause, ...]:
        causes = []
        if self._row.get("update_ratio_d", 1.0) == 0:
            text = "the discriminator's weights do not move"
            causes.append(Cause("discriminator_not_moving", text, ("update_ratio_d",)))
        causes += [*self.game.blindness(), *self.game.causes()]
        if area < _REVERSED:
            causes.append(
                Cause(
                    "sides_swapped",
                    "the generator is ahead of D, or labels of real and fake are swapped",
                    ("auc",),
                )
            )
        causes.append(Cause("discriminator_too_weak", "D is too small, too slow or dead", ("auc",)))
        return tuple(causes)
