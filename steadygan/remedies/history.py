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


class History:
    """Takes snapshots of a game at its probes, and remembers illness and learning rates at each.

    Args:
        game: whose.
    """

    def __init__(self, game: TreatedGame) -> None:
        self._game = game
        self.interval = 1
        self._scores: dict[int, float] = {}
        self._rates: dict[int, dict[Player, float | None]] = {}
        self._last_probe = self._num_probes = self._num_well = 0
        self._turned_back_at = 0

    def begin(self) -> None:
        """The state before the first step is kept to the end: a run that never was well can begin anew."""
        self._game.snapshots.take(0)
        self._remember(0, math.inf)

    def note(self, step: int, score: float, *, is_well: bool) -> None:
        """After a probe."""
        if step > self._last_probe:
            self.interval = max(1, step - self._last_probe)
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

    def place_to_go_back_to(self, finding: Finding, score: float) -> int | None:
        """The step of the snapshot to go back to; None where the game is no worse than it was then."""
        ring = self._game.snapshots
        found = ring.newest_healthy(before=finding.step) or ring.newest_usable(before=finding.step)
        found = found or ring.newest_usable(before=1)
        if found is None:
            return None
        then = self._scores.get(found.step, math.inf)
        return None if score <= _WORSE * then and found.step > 0 else found.step

    def score(self, step: int) -> float:
        """Illness at a snapshot."""
        return self._scores.get(step, math.inf)

    def rates(self) -> Mapping[Player, float | None]:
        """The learning rates in effect while the run was well: medians over its snapshots."""
        known = {p: [r for rates in self._rates.values() if (r := rates[p])] for p in _PLAYERS}
        return {p: median(rates) if rates else None for p, rates in known.items()}

    def went_back(self, step: int) -> None:
        """A treatment begins: what is taken from now on has to prove itself anew."""
        self._turned_back_at, self._num_well = step, 0

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
