"""How well a game was at its snapshots, and which of them to go back to."""

import math
from collections.abc import Mapping
from statistics import median
from typing import Any

from steadygan.doctor.findings import Finding
from steadygan.remedies.treated import TreatedGame
from steadygan.types import Player, StateDict

_PLAYERS: tuple[Player, ...] = ("g", "d")
_EVERY = 4  # probes between two snapshots
_PROVEN = 2  # probes without a finding after which a snapshot is known to be healthy
_WORSE = 1.2
_RAISED = 2.0
_ACUTE = frozenset(
    {"mode_collapse", "divergence", "non_finite", "exploding_gradient", "oscillation"}
)


class History:
    """Takes snapshots of a game at its probes, and remembers illness and learning rates at each.

    Args:
        game: whose.
        interval: steps between two probes, until they show it themselves.
    """

    def __init__(self, game: TreatedGame, interval: int = 1) -> None:
        self._game = game
        self.interval = interval
        self._scores: dict[int, float] = {}
        self._rates: dict[int, dict[Player, float | None]] = {}
        self._last_probe = self._num_probes = self._num_well = 0

    def begin(self) -> None:
        """The state before the first step is kept to the end: a run that never was well can begin anew."""
        self._game.snapshots.take(0)
        self._remember(0, math.inf)

    def note(self, step: int, score: float, *, is_well: bool) -> None:
        """After a probe."""
        if step > self._last_probe > 1:  # the first step is probed whatever the interval
            self.interval = step - self._last_probe
        self._last_probe = step
        self._num_probes += 1
        self._num_well = self._num_well + 1 if is_well else 0
        ring = self._game.snapshots
        for snapshot in ring.snapshots:
            proven = self._num_well >= _PROVEN and snapshot.step <= step - _PROVEN * self.interval
            if proven and snapshot.stamp == "unknown" and snapshot.step > 0:
                snapshot.stamp = "healthy"
        if is_well and self._num_probes % _EVERY == 0:
            taken = ring.take(step)
            if taken is not None:
                self._remember(step, score)

    def place_to_go_back_to(self, finding: Finding, score: float, attempt: int) -> int | None:
        """The step of the snapshot to go back to; None where the game is no worse than it was then.

        What the samples show to be broken is always gone back from. Each attempt goes further back: damage may be older
        than the onset that shows. Snapshots under a rate that was raised since are no place; the last resort is the
        state before the first step.

        Args:
            finding: what is wrong.
            score: illness now.
            attempt: how many treatments in a row have not helped.
        """
        usual = self.rates()
        snapshots = [
            s
            for s in self._game.snapshots.snapshots
            if s.stamp == "healthy" and s.step < finding.step and s.is_finite
            if not self._was_raised(s.step, usual)
        ]
        snapshots.sort(key=lambda s: -s.step)
        if attempt < len(snapshots):
            found = snapshots[attempt].step
            is_acute = finding.kind in _ACUTE or score > _WORSE * self.score(found)
            return found if is_acute else None
        is_there = any(s.step == 0 and s.is_finite for s in self._game.snapshots.snapshots)
        return 0 if is_there and finding.kind in _ACUTE else None

    def _was_raised(self, step: int, usual: Mapping[Player, float | None]) -> bool:
        rates = self._rates.get(step, {})
        return any(
            (then := rates.get(p)) and (rate := usual[p]) and then > _RAISED * rate
            for p in _PLAYERS
        )

    def score(self, step: int) -> float:
        """Illness at a snapshot."""
        return self._scores.get(step, math.inf)

    def rates(self) -> Mapping[Player, float | None]:
        """The learning rates in effect while the run was well: medians over its snapshots."""
        known = {p: [r for rates in self._rates.values() if (r := rates[p])] for p in _PLAYERS}
        return {p: median(rates) if rates else None for p, rates in known.items()}

    def went_back(self) -> None:
        """A treatment begins: what is taken from now on has to prove itself anew."""
        self._num_well = 0

    def state_dict(self) -> StateDict:
        """All that is remembered; the snapshots are saved with the game."""
        return {
            "scores": [[step, score] for step, score in self._scores.items()],
            "rates": [[step, dict(rates)] for step, rates in self._rates.items()],
            "counters": [self.interval, self._last_probe, self._num_probes, self._num_well],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self._scores = {int(step): float(score) for step, score in state["scores"]}
        self._rates = {int(step): dict(rates) for step, rates in state["rates"]}
        self.interval, self._last_probe, self._num_probes, self._num_well = state["counters"]

    def _remember(self, step: int, score: float) -> None:
        knobs = self._game.rates
        self._scores[step] = score
        rates = {p: knobs[p].rate() for p in _PLAYERS}
        self._rates[step] = {
            p: None if rate is None else rate * knobs[p].factor for p, rate in rates.items()
        }
