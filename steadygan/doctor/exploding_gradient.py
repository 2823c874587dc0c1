"""Exploding gradients: a player's gradient norm runs away from the run's own level."""

import math
from collections import deque
from collections.abc import Sequence
from statistics import median

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import (
    Cause,
    Evidence,
    Finding,
    Healthy,
    NotAssessed,
    Opinion,
    Severity,
)
from steadygan.types import Player

_BLOCK = 32  # rows; more than the usual period of a lazy penalty
_BURN_IN = 2  # blocks at the start that belong to no baseline
_NEEDED = 4  # blocks of baseline before there is an opinion
_MEMORY = 16  # blocks a baseline holds at most
_RUNAWAY, _RECOVERED, _SPIKE = math.log(10), math.log(5), math.log(5)
_RECORD = math.log(2)
_Z = 8.0
_LEAST_SPREAD = 0.1
_MANY = 3
_CALM = 4  # blocks without a spike, after which spikes are over
_NEAR_DATA = 0.15
_TINY = 1e-30
_DEAD = math.log(1e-20)  # no optimizer makes a step of it: no level to compare with
_PLAYERS = {"g": "generator", "d": "discriminator"}


class ExplodingGradient(Detector):
    """The gradient norm of one player leaves its own past behind.

    With u = ln‖g‖ in blocks of 32 rows, m and M a block's median and maximum, and median and spread
    (1.48·MAD, at least 0.1) over the last 16 quiet blocks:

        runaway (critical)   m − med(m) > max(ln 10, 8·spread(m))   and   m > ln 2 + every earlier m
        spike (warning)      u − med(M) > max(ln 5, 8·spread(M));   three in a block are critical

    A runaway ends when m comes back below 5 times the baseline, spikes after four blocks without
    one. Blocks of a runaway never become baseline, nor do blocks below 1e-20, where a loss is saturated and nothing
    moves: any gradient would be an explosion after them. Where samples are measured and still match the
    data (energy distance at most 0.15), a runaway is a warning: a level that changed and harmed
    nothing.

    Comparing blocks with blocks makes lazy penalties harmless: steps on which a penalty is due have
    larger gradients, but so has every earlier block's maximum. Nothing but what is dead is compared with an
    absolute number, and the record over all blocks keeps a recovery from vanished gradients from passing as
    an explosion.

    False alarms and blind spots: a change of objective or penalty weight in the middle of a run can
    look like an explosion; growth slower than tenfold in 500 rows looks like a new level; the first
    192 rows are not assessed. Cost: a comparison a row, four medians a block.

    Args:
        player: whose gradient.

    Source: robust z scores on the logarithm as in common spike detectors for language models; the
    block form is ours.
    """

    kind = "exploding_gradient"

    def __init__(self, player: Player) -> None:
        self.player = player
        self.signal = f"grad_norm_{player}"
        self.needs = frozenset({self.signal})
        self.hears = self.needs | {"energy_distance"}
        self._block: list[float] = []
        self._steps: list[int] = []
        self._quiet: deque[tuple[float, float]] = deque(maxlen=_MEMORY)
        self._num_blocks = 0
        self._record = -math.inf
        self._runaway_at = self._spike_at = math.inf
        self._spikes: list[tuple[int, float]] = []
        self._calm = 0
        self._unmeasured = NotAssessed(f"{self.signal} was not measured")
        rows = (_BURN_IN + _NEEDED) * _BLOCK
        self._too_few = NotAssessed(f"needs {rows} rows with {self.signal} for a baseline")
        self._energy = math.inf
        self._runaway: Finding | None = None
        self._spiked: Finding | None = None

    def update(self, row: Row) -> Opinion:
        """One more gradient norm, and what the last block showed."""
        self.game.update(row)
        self._energy = row.get("energy_distance", self._energy)
        norm = row.get(self.signal)
        if norm is None or not math.isfinite(norm):
            return self._unmeasured
        step, u = int(row["step"]), math.log(norm if norm > _TINY else _TINY)
        self._block.append(u)
        self._steps.append(step)
        if u > self._spike_at:
            self._note_spike(step, u)
        if len(self._block) == _BLOCK:
            self._close_block(step)
        if self._runaway_at == math.inf:
            return self._too_few
        return self._runaway or self._spiked or Healthy(step)

    def _note_spike(self, step: int, u: float) -> None:
        self._spikes.append((step, u))
        typical = median(high for _, high in self._quiet)
        first, _ = self._spikes[0]
        _, worst = max(self._spikes, key=lambda spike: spike[1])
        many = len(self._spikes) >= _MANY
        times = f"{len(self._spikes)} times" if many else "once"
        self._spiked = self._finding(
            self._judge() if many else "warning",
            first,
            worst,
            typical,
            f"the {_PLAYERS[self.player]}'s gradient norm spiked {times}, up to "
            f"{math.exp(worst):.3g}, {math.exp(worst - typical):.3g} times its usual peak",
        )

    def _close_block(self, step: int) -> None:
        middle, high = median(self._block), max(self._block)
        self._num_blocks += 1
        usual = median([m for m, _ in self._quiet]) if self._quiet else middle
        if self._runaway is not None:
            over = middle > usual + _RECOVERED
        else:
            over = middle > max(self._runaway_at, self._record + _RECORD)
        if over:
            bar = usual + _RECOVERED
            onset = next(at for at, u in zip(self._steps, self._block, strict=True) if u > bar)
            self._runaway = self._finding(
                self._judge(),
                onset if self._runaway is None else self._runaway.step,
                middle,
                usual,
                f"the {_PLAYERS[self.player]}'s gradient norm is {math.exp(middle):.3g}, "
                f"{math.exp(middle - usual):.3g} times the run's own level",
            )
        else:
            self._runaway = None
            self._accept(middle, high, step)
        self._calm = 0 if self._spikes else self._calm + 1
        if self._calm >= _CALM:
            self._spiked = None
        self._block, self._steps, self._spikes = [], [], []

    def _accept(self, middle: float, high: float, step: int) -> None:
        """A quiet block becomes part of the baseline."""
        self._record = max(self._record, middle)
        if self._num_blocks <= _BURN_IN or middle < _DEAD:
            return
        self._quiet.append((middle, high))
        if not self._spikes:
            self.game.mark_well(step)
        if len(self._quiet) >= _NEEDED:
            middles, peaks = zip(*self._quiet, strict=True)
            self._runaway_at = _limit(middles, _RUNAWAY)
            self._spike_at = _limit(peaks, _SPIKE)

    def _judge(self) -> Severity:
        return "warning" if self._energy <= _NEAR_DATA else "critical"

    def _finding(
        self, severity: Severity, step: int, u: float, usual: float, sentence: str
    ) -> Finding:
        expected = f"near {math.exp(usual):.3g}, as before"
        race = Cause(
            "race_of_magnitudes",
            "a race of magnitudes: each player answers the other's larger step",
            (self.signal,),
        )
        return Finding(
            kind=self.kind,
            severity=severity,
            step=step,
            evidence=(Evidence(self.signal, math.exp(u), expected, sentence),),
            causes=(*self.game.causes(), race),
            remedies=(
                "clip_gradients",
                f"lower_learning_rate_{self.player}",
                "raise_r1_weight" if self.game.penalised else "add_r1_penalty",
                "roll_back",
            ),
        )


def _limit(values: Sequence[float], least: float) -> float:
    middle = median(values)
    spread = max(_LEAST_SPREAD, 1.4826 * median([abs(v - middle) for v in values]))
    return middle + max(least, _Z * spread)
