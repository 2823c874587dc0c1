"""Miswired: a player without gradient from the start, or with one that moves nothing."""

import math

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.types import Player

_STEPS = 3
_FIRST = 10
_ABSENT = 200
_SIZEABLE = 0.01
_PLAYERS = {"g": "generator", "d": "discriminator"}


class Miswired(Detector):
    """One player's gradient, or its step, is exactly 0 again and again.

        ‖g‖ = 0 in each of the first ten rows        the loss does not reach its weights
        ‖Δθ‖ / ‖θ‖ = 0 in three rows in a row, where its learning rate is not 0 and ‖g‖ is at least
        a hundredth of the largest so far            the optimizer holds other weights
        no gradient at all in 200 rows in which the other player has one, after it had some

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
        self._others = "grad_norm_d" if player == "g" else "grad_norm_g"
        self.hears = self.needs | {f"lr_{player}", self._others}
        self._norm, self._ratio = f"grad_norm_{player}", f"update_ratio_{player}"
        self._lr = f"lr_{player}"
        self._unmeasured = NotAssessed(f"{self._norm} was not measured")
        self._largest = 0.0
        self._num_without = self._num_still = 0
        self._first = self._still_since = self._absent_since = self._num_absent = 0
        self._rate: float | None = None

    def update(self, row: Row) -> Opinion:
        """One more row."""
        self._rate = row.get(self._lr, self._rate)
        norm = row.get(self._norm, math.nan)
        step = int(row["step"])
        if self._norm not in row:
            return self._note_absence(step) if self._others in row else self._unmeasured
        self._num_absent = 0
        if norm != norm:
            return self._unmeasured
        if norm > self._largest:
            self._largest = norm
        elif self._largest == 0:
            self._first = self._first if self._num_without else step
            self._num_without += 1
            if self._num_without < _FIRST:
                return NotAssessed(f"needs {_FIRST} rows, or one gradient above 0")
            return self._without_gradient()
        if self._ratio in row or self._num_still:
            self._note_update(row.get(self._ratio, math.nan), norm, step)
        return Healthy(step) if self._num_still < _STEPS else self._without_step()

    def _note_absence(self, step: int) -> Opinion:
        """The other player moved without this one."""
        if self._largest == 0:
            return self._unmeasured  # it never moved: there may be nobody to measure it
        if self._num_absent == 0:
            self._absent_since = step
        self._num_absent += 1
        if self._num_absent < _ABSENT:
            return self._unmeasured
        name = _PLAYERS[self.player]
        sentence = f"the {name} has not been stepped since, in {self._num_absent} steps of the other player"
        causes = [
            Cause("other_parameters", f"the optimizer holds other parameters than the {name}'s"),
            Cause("not_stepped", f"the loop no longer steps the {name}'s optimizer"),
            Cause("frozen_parameters", f"all of the {name}'s parameters are frozen"),
        ]
        return self._finding(self._absent_since, self._norm, sentence, causes)

    def _note_update(self, ratio: float, norm: float, step: int) -> None:
        if ratio == 0 and norm > _SIZEABLE * self._largest and self._rate != 0:
            self._still_since = self._still_since if self._num_still else step
            self._num_still += 1
        elif ratio > 0 or self._rate == 0:
            self._num_still = 0

    def _without_gradient(self) -> Finding:
        name = _PLAYERS[self.player]
        sentence = (
            f"the {name}'s gradient has been exactly 0 in all {self._num_without} rows so far"
        )
        causes = [
            Cause(
                "detached_loss",
                f"the {name}'s loss does not depend on its weights: a detach or a no_grad",
            ),
            Cause("frozen_parameters", f"all of the {name}'s parameters are frozen"),
        ]
        if self.player == "g":
            causes.append(
                Cause("constant_output", "the output of the generator is saturated or constant")
            )
        return self._finding(self._first, self._norm, sentence, causes)

    def _without_step(self) -> Finding:
        name = _PLAYERS[self.player]
        sentence = f"the {name} has a gradient, but its weights do not change at all"
        causes = [
            Cause(
                "other_parameters",
                f"the optimizer holds other parameters than the {name}'s: made before a copy",
            ),
            Cause("cleared_gradients", "gradients are cleared between backward and step"),
            Cause("skipped_steps", "a gradient scaler skips every step"),
        ]
        return self._finding(self._still_since, self._ratio, sentence, causes)

    def _finding(self, step: int, signal: str, sentence: str, causes: list[Cause]) -> Finding:
        return Finding(
            kind=self.kind,
            severity="critical",
            step=step,
            evidence=(Evidence(signal, 0.0, "above 0", sentence),),
            causes=tuple(Cause(cause.name, cause.text, (signal,)) for cause in causes),
            remedies=("check_wiring",),
        )
