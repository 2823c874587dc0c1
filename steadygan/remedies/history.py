"""How well a game was at its snapshots, and which of them to go back to."""

import math
from collections.abc import Mapping
from statistics import median
from typing import Any

from steadygan.doctor.findings import Finding
from steadygan.remedies.rates import RAISED, restoring
from steadygan.remedies.treated import TreatedGame
from steadygan.remedies.trial import FAIR, GAINED, LEARNT
from steadygan.types import Player, StateDict

_PLAYERS: tuple[Player, ...] = ("g", "d")
_EVERY = 4  # probes between two snapshots
_PROVEN = 2  # probes without a finding after which a snapshot is known to be healthy
_STABLE = 40  # probes without a finding after which a new one is a new story
_OLD = 12  # probes
_WORSE = 1.2
_COME = 0.65  # of the illness at the first probe: what has come less far is no place
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
        self._first = math.inf  # illness at the first probe
        self._last_probe = self._num_probes = self._num_well = 0

    @property
    def is_stable(self) -> bool:
        """Whether it has been well for so long that what was tried before does not count any more."""
        return self._num_well >= _STABLE

    @property
    def is_old(self) -> bool:
        """Whether there were enough probes to tell a run that has not come far from one that has just begun."""
        return self._num_probes >= _OLD

    @property
    def is_raised(self) -> bool:
        """Whether the loop has raised a learning rate far above what it was when the run was well."""
        return bool(restoring(self._game, self.rates()))

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
        if self._num_probes == 1:
            self._first = score
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

        What the samples show to be broken is always gone back from, and so is what came of a rate that was raised;
        from anything else, where samples are worse by now, or far from the data and little was gained since. Each
        attempt goes further back: damage may be older than the onset that shows. Snapshots under a rate that was
        raised since are no place, nor are those with samples far from the data and not a third nearer than at the first
        probe: a network that died early is worse than one that has not begun. The last resort, and the only one of a
        run that never was well, is the state before the first step.

        Args:
            finding: what is wrong.
            score: illness now.
            attempt: how many treatments in a row have not helped.
        """
        if finding.severity != "critical":
            return None
        usual = self.rates()
        ring = self._game.snapshots.snapshots
        well = [s for s in ring if s.stamp == "healthy" and s.is_finite]
        well = [s for s in well if not self._was_raised(s.step, usual)]
        well = [s for s in well if self.score(s.step) < max(FAIR, _COME * self._first)]
        # An onset is an estimate: where it is before all that was seen to be well, the oldest of that is the place.
        before = [s for s in well if s.step < finding.step]
        is_learnt = finding.kind in LEARNT
        if is_learnt:  # by heart: that is slow to go, and later snapshots hold it as well
            well = before
        places = sorted(s.step for s in before)[::-1] if before else sorted(s.step for s in well)
        is_acute = finding.kind in _ACUTE or is_learnt or self.is_raised
        if attempt < len(places):
            found = places[attempt]
            times = GAINED if score > FAIR else _WORSE
            return found if is_acute or score > times * self.score(found) else None
        is_there = any(s.step == 0 and s.is_finite for s in ring)
        is_lost = (
            is_acute or not well or score > FAIR
        )  # far away, and nothing has helped from later places
        return 0 if is_there and is_lost else None

    def _was_raised(self, step: int, usual: Mapping[Player, float | None]) -> bool:
        rates = self._rates.get(step, {})
        return any(
            (then := rates.get(p)) and (rate := usual[p]) and then >= RAISED * rate
            for p in _PLAYERS
        )

    def score(self, step: int) -> float:
        """Illness at a snapshot."""
        return self._scores.get(step, math.inf)

    def rates(self) -> Mapping[Player, float | None]:
        """The loop's learning rates while the run was well, without treatment: medians over its snapshots."""
        known = {p: [r for rates in self._rates.values() if (r := rates[p])] for p in _PLAYERS}
        return {p: median(rates) if rates else None for p, rates in known.items()}

    def went_back(self) -> None:
        """A treatment begins: what is taken from now on has to prove itself anew."""
        self._num_well = 0

    def state_dict(self) -> StateDict:
        """All that is remembered; the snapshots are saved with the game."""
        return {
            "first": self._first,
            "scores": [[step, score] for step, score in self._scores.items()],
            "rates": [[step, dict(rates)] for step, rates in self._rates.items()],
            "counters": [self.interval, self._last_probe, self._num_probes, self._num_well],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self._first = float(state["first"])
        self._scores = {int(step): float(score) for step, score in state["scores"]}
        self._rates = {int(step): dict(rates) for step, rates in state["rates"]}
        self.interval, self._last_probe, self._num_probes, self._num_well = state["counters"]

    def _remember(self, step: int, score: float) -> None:
        self._scores[step] = score
        self._rates[step] = {p: self._game.rates[p].rate() for p in _PLAYERS}
