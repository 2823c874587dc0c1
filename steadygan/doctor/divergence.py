"""Divergence: the samples' distance to the data worsens persistently from its best."""

import math

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.doctor.progress import FAR, UNMEASURED, Progress
from steadygan.doctor.window import Window

_WORSE = 4.0
_LEARNED = 2.0
_NARROW = 0.78
_PROBES = 3
_SEPARATES, _REVERSED = 0.85, 0.35
_MEMORY = 32  # rows of gradient
_CHANGED = 3.0
_OUTSIDE, _FAR_OUTSIDE = 1.0, 10.0
_START, _SINCE = 10, 5  # probes


class Divergence(Detector):
    """Samples that had come near the data leave it again, without having lost their spread.

        e > max(0.15, 4·ê)   and   e < 0.05 at five probes before, ê < ½·first e   and   ρ > 0.78

    with e the energy distance (a median of three probes), ê its best and ρ the dispersion; samples
    that have become narrow are collapsed, another kind. Where dispersion is not recorded nothing is
    said. A run that never came near diverges where its samples leave the data altogether:

        e > 1   and   e > 4·ê   and   e > first e,   after ten probes, five since the best

    e = 1 is as far as all samples on one real are at most; a start may overshoot, but not for long.

    It is critical where samples are ten times as far (e > 10), or where the game shows it too, by one
    of: D's area ``auc``, a median of three, above
    0.85 or below 0.35; a gradient norm of either player, a median of 32, three times what it was
    when e was best, or a third of that. Otherwise it is a warning.

    Wrap it in ``Patient``. False alarms and blind spots: an untrained blob near the data by chance
    makes a flattering best (hence the demands on it: 95 % of healthy probes are below 0.037), and in
    a slow orbit that passes the data even five probes may; a generator that never came near is
    stagnant. Cost: a median of three a probe, one of 32 numbers for each player.

    Source: the threshold 4 times the run's best is of our pilot on 78 runs; the game's part is ours.
    """

    kind = "divergence"
    needs = frozenset({"energy_distance", "dispersion"})
    hears = frozenset({"energy_distance", "dispersion", "auc", "grad_norm_g", "grad_norm_d"})

    def __init__(self) -> None:
        self._progress = Progress()
        self._auc = Window("auc", _PROBES)
        self._spread = Window("dispersion", _PROBES)
        self._norms = {name: Window(name, _MEMORY) for name in ("grad_norm_g", "grad_norm_d")}
        self._at_best: dict[str, float] = {}

    def update(self, row: Row) -> Opinion:
        """Judge a probe; rows in between only tell about the game."""
        self.game.update(row)
        self._auc.update(row)
        for window in self._norms.values():
            window.update(row)
        spread = self._spread.update(row)
        if not self._progress.update(row):
            return UNMEASURED
        if not spread:
            return NotAssessed("dispersion was not measured")
        progress = self._progress
        if progress.best_step == progress.step:
            self._at_best = {name: window.middle for name, window in self._norms.items()}
        if not progress.is_far:
            self.game.mark_well(progress.step)
        was_good = progress.was_near and _LEARNED * progress.best < progress.first
        left = progress.energy > max(FAR, _WORSE * progress.best)
        away = (
            left
            and progress.energy > max(_OUTSIDE, progress.first)
            and progress.num >= _START
            and progress.num_since_best >= _SINCE
        )
        if ((was_good and left) or away) and self._spread.middle > _NARROW:
            return self._finding()
        return Healthy(progress.step)

    def _finding(self) -> Finding:
        progress = self._progress
        seen = [e for e in (self._by_auc(), *map(self._by_norm, self._norms)) if e is not None]
        distance = Evidence(
            "energy_distance",
            progress.energy,
            f"below {max(FAR, _WORSE * progress.best):.2g}",
            f"the samples' distance to the data is {progress.energy:.2g}, "
            f"{progress.energy / max(progress.best, 1e-3):.2g} times its best of "
            f"{max(progress.best, 0.0):.2g} at step {progress.best_step:,}",
        )
        return Finding(
            kind=self.kind,
            severity="critical" if seen or progress.energy > _FAR_OUTSIDE else "warning",
            step=progress.step,
            evidence=(distance, *seen),
            causes=(
                *self.game.causes(),
                Cause(
                    "overshoot",
                    "steps too large for the game: one player overshoots",
                    ("energy_distance",),
                ),
            ),
            remedies=(
                "roll_back",
                "lower_learning_rate_g",
                "raise_r1_weight" if self.game.penalised else "add_r1_penalty",
                "average_weights",
            ),
        )

    def _by_auc(self) -> Evidence | None:
        area = self._auc.middle
        if not self._auc.is_full or _REVERSED <= area <= _SEPARATES:
            return None
        return Evidence(
            "auc",
            area,
            f"between {_REVERSED} and {_SEPARATES} near the data",
            f"D ranks {area:.0%} of pairs of a real and a fake rightly",
        )

    def _by_norm(self, name: str) -> Evidence | None:
        before, now = self._at_best.get(name, math.nan), self._norms[name].middle
        if not before > 0 or not math.isfinite(now):
            return None
        ratio = now / before
        if 1 / _CHANGED < ratio < _CHANGED:
            return None
        player = "generator" if name.endswith("g") else "discriminator"
        return Evidence(
            name,
            now,
            f"near {before:.2g}, as at its best",
            f"the {player}'s gradient norm is {ratio:.2g} times what it was at that step",
        )
