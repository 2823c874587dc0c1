"""A vanishing gradient: the generator's gradient dies while its samples are far from the data."""

import math
from statistics import median

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.progress import UNMEASURED, Progress
from steadygan.doctor.window import Latest

_BLOCK = 32
_LEVEL = 3  # blocks
_DEAD = math.log(1e-2)
_TINY = 1e-30
_SATURATED = 0.99
_FOOLED = 0.3
_FLAT = 0.05


class VanishingGradient(Detector):
    """G's gradient falls to a hundredth of the run's own level, and its samples come no nearer.

    With m the median of ln‖g_G‖ over a block of 32 rows:

        m − max over the first three blocks of m  <  ln 0.01
        and  e > 0.15  and  no e < 0.9·best for 10 probes and a fifth of all probes so far

    with e the energy distance. A gradient alone proves nothing: with R1 it dies at convergence, as
    it should, and an adaptive optimizer moves G as far with a small gradient as with a large one.
    Both families of evidence are in the rule; a finding is critical once the stall has passed what
    a slow start looks like (``Progress.hopeless``), and a warning before.

    The largest of the first blocks is the level, because the gradient may already be dying in the
    first of them. A gradient that was exactly 0 from the start is miswired, another kind.

    False alarms and blind spots: a gradient that dies within the first 32 steps shows no fall; an
    objective or a weight changed in the run moves the level. Cost: a median a block, a median of
    three a probe.

    Source: Arjovsky, Bottou (2017), arXiv 1701.04862, theorem 2.4; a relative threshold in the place
    of an absolute one (1e-7 in common debuggers, which only full saturation reaches) is ours.
    """

    kind = "vanishing_gradient"
    needs = frozenset({"grad_norm_g", "energy_distance"})
    hears = frozenset({"grad_norm_g", "energy_distance", "auc", "input_grad_fake"})

    def __init__(self) -> None:
        self._progress = Progress()
        self._block: list[float] = []
        self._start = 0
        self._early: list[float] = []
        self._now = math.inf
        self._since: int | None = None
        self._row = Latest("auc", "input_grad_fake")

    def update(self, row: Row) -> Opinion:
        """One more gradient norm; an opinion where samples were measured."""
        self.game.update(row)
        self._row.update(row)
        norm = row.get("grad_norm_g", math.nan)
        if math.isfinite(norm):
            self._add(row, math.log(norm if norm > _TINY else _TINY))
        if not self._progress.update(row):
            return UNMEASURED
        if len(self._early) < _LEVEL:
            return NotAssessed(f"needs {_LEVEL * _BLOCK} rows with grad_norm_g for a level")
        dead = self._since is not None and max(self._early) > math.log(_TINY)
        if dead and self._progress.stalled:
            return self._finding()
        return Healthy(self._progress.step)

    def _add(self, row: Row, u: float) -> None:
        if not self._block:
            self._start = int(row["step"])
        self._block.append(u)
        if len(self._block) < _BLOCK:
            return
        self._now = median(self._block)
        self._block = []
        if len(self._early) < _LEVEL:
            self._early.append(self._now)
        if self._now - max(self._early) >= _DEAD:
            self._since = None
        elif self._since is None:
            self._since = self._start

    def _finding(self) -> Finding:
        # A linear D may be at rest: the means agree, which is all that it plays for.
        linear = self.game.blindness()
        usual = math.exp(max(self._early))
        ratio = math.exp(self._now) / usual
        evidence = Evidence(
            "grad_norm_g",
            math.exp(self._now),
            f"above {0.01 * usual:.2g}, a hundredth of its early level",
            f"the generator's gradient norm is {math.exp(self._now):.2g}, {ratio:.1g} of its early "
            f"{usual:.2g}",
        )
        return Finding(
            kind=self.kind,
            severity="critical" if self._progress.hopeless and not linear else "warning",
            step=self._since or 0,
            evidence=(evidence, self._progress.evidence()),
            causes=self._causes(),
            remedies=(
                "non_saturating_loss",
                "lower_learning_rate_d",
                "lower_r1_weight" if self.game.penalised else "add_r1_penalty",
                "roll_back",
            ),
        )

    def _causes(self) -> tuple[Cause, ...]:
        causes = [*self.game.blindness()]
        area = self._row.get("auc", math.nan)
        if area > _SATURATED:
            causes.append(
                Cause(
                    "saturating_loss",
                    f"D is sure of every fake (it ranks {area:.1%} of pairs rightly) and the loss "
                    "saturates there",
                    ("auc",),
                )
            )
        elif area < _FOOLED:
            causes.append(
                Cause(
                    "discriminator_fooled",
                    f"D takes the fakes for reals (it ranks {area:.0%} of pairs rightly): G has "
                    "nothing left to gain from it",
                    ("auc",),
                )
            )
        elif self._row.get("input_grad_fake", math.inf) < _FLAT:
            causes.append(
                Cause(
                    "flat_discriminator",
                    "D is flat where the samples are: its slope there is "
                    f"{self._row.get('input_grad_fake', 0.0):.2g}",
                    ("input_grad_fake",),
                )
            )
        causes += self.game.causes()
        causes.append(
            Cause("dead_units", "units of the generator are dead or saturated", ("grad_norm_g",))
        )
        return tuple(causes)
