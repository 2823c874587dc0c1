"""Miswired: a player without gradient from the start, or with one that moves nothing."""

import math

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.types import Player

_STEPS = 3
_FIRST = 10
_SIZEABLE = 0.01
_PLAYERS = {"g": "generator", "d": "discriminator"}


class Miswired(Detector):
    """One player's gradient, or its step, is exactly 0 again and again.

        ‖g‖ = 0 in each of the first ten rows        the loss does not reach its weights
        ‖Δθ‖ / ‖θ‖ = 0 in three rows in a row, where its learning rate is not 0 and ‖g‖ is at least
        a hundredth of the largest so far            the optimizer holds other weights

    Exactly 0 is no statistic but a broken connection, and needs no second family of evidence: it is
    critical. A gradient that becomes 0 later is something else: a hinge loss whose margins are all
    met gives D none for a while, and a generator's gradient that dies is ``vanishing_gradient``. A
    learning rate of 0 in the record is on purpose, and so is a layer frozen by hand, which leaves
    the norm above 0.

    The second rule needs ``update_ratio`` and the gradient of the same rows. A gradient far below
    its past may move nothing by rounding alone, hence the hundredth.

    False alarms and blind spots: a D that is perfect under a hinge loss from the first step on, or a
    game that begins with more than ten steps of one player alone and records a 0 for the other
    instead of nothing. D's gradient leaking into G's step leaves no trace in these signals. Cost:
    two comparisons a row.

    Args:
        player: whose wiring.
    """

    kind = "miswired"

    def __init__(self, player: Player) -> None:
        self.player = player
        self.needs = frozenset({f"grad_norm_{player}"})
        self._largest = 0.0
        self._num_without = self._num_still = 0
        self._first = self._still_since = 0
        self._rate: float | None = None

    def update(self, row: Row) -> Opinion:
        """One more row."""
        step = int(row["step"])
        self._rate = row.get(f"lr_{self.player}", self._rate)
        norm = row.get(f"grad_norm_{self.player}", math.nan)
        if math.isnan(norm):
            return NotAssessed(f"grad_norm_{self.player} was not measured")
        self._largest = max(self._largest, norm)
        if self._largest == 0:
            self._first = self._first if self._num_without else step
            self._num_without += 1
        still = self._note_update(row, norm, step)
        if self._largest == 0:
            if self._num_without < _FIRST:
                return NotAssessed(f"needs {_FIRST} rows, or one gradient above 0")
            return self._without_gradient()
        return self._without_step() if still else Healthy(step)

    def _note_update(self, row: Row, norm: float, step: int) -> bool:
        ratio = row.get(f"update_ratio_{self.player}", math.nan)
        if ratio == 0 and norm > _SIZEABLE * self._largest and self._rate != 0:
            self._still_since = self._still_since if self._num_still else step
            self._num_still += 1
        elif ratio > 0 or self._rate == 0:
            self._num_still = 0
        return self._num_still >= _STEPS

    def _without_gradient(self) -> Finding:
        name = _PLAYERS[self.player]
        sentence = (
            f"the {name}'s gradient has been exactly 0 in all {self._num_without} rows so far"
        )
        causes = [
            Cause(f"the {name}'s loss does not depend on its weights: a detach or a no_grad"),
            Cause(f"all of the {name}'s parameters are frozen"),
        ]
        if self.player == "g":
            causes.append(Cause("the output of the generator is saturated or constant"))
        return self._finding(self._first, f"grad_norm_{self.player}", sentence, causes)

    def _without_step(self) -> Finding:
        name = _PLAYERS[self.player]
        sentence = f"the {name} has a gradient, but its weights do not change at all"
        causes = [
            Cause(f"the optimizer holds other parameters than the {name}'s: made before a copy"),
            Cause("gradients are cleared between backward and step"),
            Cause("a gradient scaler skips every step"),
        ]
        return self._finding(self._still_since, f"update_ratio_{self.player}", sentence, causes)

    def _finding(self, step: int, signal: str, sentence: str, causes: list[Cause]) -> Finding:
        return Finding(
            kind=self.kind,
            severity="critical",
            step=step,
            evidence=(Evidence(signal, 0.0, "above 0", sentence),),
            causes=tuple(Cause(cause.text, (signal,)) for cause in causes),
            remedies=("check_wiring",),
        )
