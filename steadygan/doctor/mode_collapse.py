"""Mode collapse: samples far less diverse than the data, by the data's own statistics."""

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion

_ENERGY = 0.15
_COVERAGE = 0.10
_LN_DISPERSION = 0.25
_NARROW = math.exp(-_LN_DISPERSION)
_DUPLICATES = 0.05
_WORSE = 4.0  # times the run's best energy distance
_LOST = 0.35  # of the run's best coverage
_STUCK = 10  # probes
_PROGRESS = 0.9
_VERY_NARROW = 0.5
_MOVED = 1.0


@dataclass(frozen=True)
class _Probe:
    """One measurement."""

    step: int
    energy: float
    coverage: float
    dispersion: float
    duplicates: float


class ModeCollapse(Detector):
    """Samples lost the data's diversity, whole or in large part.

    Two of three must hold, with e energy distance, c coverage, ρ dispersion, ê and ĉ the run's best:

        e > max(0.15, 4·ê)        c < max(0.10, 0.35·ĉ)        |ln ρ| > 0.25

    and diversity itself must be what is missing: ρ < 0.78, or more than 5 % near copies. Samples
    that are far off but spread out are divergence, another kind.

    Early training looks collapsed too: a fresh generator puts everything in one place. So the run
    must have been good before, ê < 0.15. In the plane an untrained blob may be that near by chance,
    which is why e must also be 4·ê. Coverage counts only where ĉ > 0.2: on narrow modes it stays
    near 0 long after a run has become good.

    A run that never was good is reported when it is stuck: a median ρ < 0.5 over 10 probes that,
    after at least 10 others, brought e less than 10 % below its best; and from then on as long as
    the signs last. It is critical if fixed latents moved further than the data is wide within 10
    probes (G travels and takes all its samples with it), and a warning if not, since a very slow
    start looks the same.

    Wrap it in ``Patient``: one probe is noise. False alarms and blind spots: reals that are not the
    training data's mix (one class only); a generator that drops modes without narrowing (two
    opposite modes of eight are 0.8 times as dispersed) is missed unless it repeats itself; in the
    first probes nothing is found. Cost: some comparisons a probe.

    Source: our pilot on 78 runs of six objectives on a ring (thresholds 0.15, 0.10 and 0.25; no
    alarm in 58,000 healthy steps, 36 of 44 failing runs found). Relative to the run's own best and
    the demand for lost diversity are later additions.
    """

    kind = "mode_collapse"
    needs = frozenset({"energy_distance", "coverage", "dispersion"})
    hears = frozenset({"energy_distance"})

    def __init__(self) -> None:
        self._best_energy = math.inf
        self._best_coverage = 0.0
        self._earlier_best = math.inf
        self._recent: deque[_Probe] = deque(maxlen=_STUCK)
        self._moves: deque[float] = deque(maxlen=_STUCK)
        self._num = 0
        self._collapsed = self._travelled = False

    def update(self, row: Row) -> Opinion:
        """Judge a probe; rows in between only tell about the game."""
        self.game.update(row)
        if not all(math.isfinite(row.get(name, math.nan)) for name in self.needs):
            return NotAssessed("samples were not measured")
        probe = _Probe(
            int(row["step"]),
            row["energy_distance"],
            row["coverage"],
            row["dispersion"],
            row.get("duplicates", 0.0),
        )
        self._remember(probe, row.get("fixed_z_drift", 0.0))
        signs, copies = self._signs(probe), _copies(probe)
        narrow = probe.dispersion < _NARROW or bool(copies)
        ripe = self._was_good or self._collapsed or self._is_stuck()
        self._collapsed = len(signs) >= 2 and narrow and ripe
        if self._collapsed:
            return self._finding(probe, (*signs, *copies))
        self._take_as_reference(probe)
        return Healthy(probe.step)

    @property
    def _was_good(self) -> bool:
        return self._best_energy < _ENERGY

    @property
    def _covers(self) -> bool:
        """Whether coverage was ever high enough for a low one to mean a loss."""
        return self._best_coverage > 2 * _COVERAGE

    def _remember(self, probe: _Probe, move: float) -> None:
        if len(self._recent) == _STUCK:
            self._earlier_best = min(self._earlier_best, self._recent[0].energy)
        self._recent.append(probe)
        self._moves.append(move if math.isfinite(move) else 0.0)
        self._num += 1

    def _take_as_reference(self, probe: _Probe) -> None:
        self._best_energy = min(self._best_energy, probe.energy)
        if probe.energy < _ENERGY:
            self.game.mark_well(probe.step)
        self._best_coverage = max(self._best_coverage, probe.coverage)

    def _signs(self, probe: _Probe) -> tuple[Evidence, ...]:
        """Those of the three signs that are there, in words."""
        signs = []
        if not _NARROW <= probe.dispersion <= 1 / _NARROW:
            text = f"samples are {probe.dispersion:.2g} times as diverse as the data"
            text += f" (healthy: above {_NARROW:.2f})" if probe.dispersion < _NARROW else ""
            signs.append(Evidence("dispersion", probe.dispersion, f"above {_NARROW:.2f}", text))
        floor = max(_COVERAGE, _LOST * self._best_coverage)
        if probe.coverage < floor and (self._covers or not self._was_good):
            text = f"they reach {probe.coverage:.0%} of the data"
            text += f" (at its best {self._best_coverage:.0%})" if self._was_good else ""
            signs.append(Evidence("coverage", probe.coverage, f"above {floor:.2f}", text))
        limit = max(_ENERGY, _WORSE * self._best_energy) if self._was_good else _ENERGY
        if probe.energy > limit:
            text = f"their distance to the data is {probe.energy:.2g}"
            text += f" (at its best {self._best_energy:.2g})" if self._was_good else ""
            signs.append(Evidence("energy_distance", probe.energy, f"below {limit:.2g}", text))
        return tuple(signs)

    def _is_stuck(self) -> bool:
        if self._num < 2 * _STUCK:
            return False
        latest = min(probe.energy for probe in self._recent)
        narrow = median(probe.dispersion for probe in self._recent) < _VERY_NARROW
        return narrow and latest > _PROGRESS * self._earlier_best

    def _finding(self, probe: _Probe, evidence: tuple[Evidence, ...]) -> Finding:
        self._travelled = self._travelled or sum(self._moves) > _MOVED
        stabilise = "raise_r1_weight" if self.game.penalised else "add_r1_penalty"
        first = "roll_back" if self._was_good else "restart"
        return Finding(
            kind=self.kind,
            severity="critical" if self._was_good or self._travelled else "warning",
            step=probe.step if self._was_good else self._recent[0].step,
            evidence=evidence,
            causes=(*self.game.causes(), self._chase()),
            remedies=(first, "lower_learning_rate_g", stabilise, "pack_samples"),
        )

    def _chase(self) -> Cause:
        if not self._was_good:
            return Cause(
                "never_spread", "the generator has not spread out since the start", ("dispersion",)
            )
        return Cause(
            "generator_chases",
            "the generator concentrates on what the present discriminator accepts, "
            "and D follows too late",
            ("dispersion", "coverage"),
        )


def _copies(probe: _Probe) -> tuple[Evidence, ...]:
    if probe.duplicates <= _DUPLICATES:
        return ()
    text = f"{probe.duplicates:.0%} of them have a near copy (data: 1%)"
    return (Evidence("duplicates", probe.duplicates, "near 0.01", text),)
