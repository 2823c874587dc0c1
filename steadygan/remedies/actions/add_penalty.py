"""Add a gradient penalty to D's gradients."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json, shown

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class AddPenalty(Action):
    """R1 or R2 on D, from D's next optimizer step on, without a change to the loop's loss.

    g_D ← g_D + ∇_w [weight · every · mean ½‖∇ₓD‖²]   at every ``every``-th of D's steps

    R1 at reals, R2 at G's samples. For games that orbit or diverge and a D that grows without bound. It is
    drawn from ``real`` and ``latent`` as they were given, outside of the loop's passes. What a loop clips by
    itself is clipped before. Cost: about half a step of D, divided by ``every``, doubled for R2.

    Args:
        kind: ``R1`` or ``R2``.
        weight: γ >= 0, within 30 times of the first one in this training; 0 is off [loss units per squared
            logit slope].
        every: D's steps between two, >= 1; the strength does not depend on it.
        relative: measure slopes per root mean square of a sample, so that one weight serves all sizes.
        batch: samples for one.
        ramp: D's steps in which the weight grows from what it was, >= 0; for a D that has become steep.

    Raises:
        ActionError: beyond the limits, without samples to compute it at, or for a D without second derivatives.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, eqs. 9 and 10; laziness: Karras et al. (2020), arXiv
    1912.04958, section 3.1. Differs in where it is added: to the gradients, on samples of its own.
    """

    kind: str
    weight: float
    every: int = 16
    relative: bool = False
    batch: int = 64
    ramp: int = 0

    def apply(self, game: "TreatedGame") -> "AddPenalty":
        """Add it, change it or end it."""
        knob = game.penalty
        undo = AddPenalty(self.kind, 0.0, before=self.target(game), after=self.reading(game))
        if self.kind in knob.penalties:
            penalty, batch = knob.penalties[self.kind]
            undo = AddPenalty(
                self.kind,
                penalty.weight,
                penalty.every,
                penalty.relative,
                batch,
                before=self.target(game),
                after=self.reading(game),
            )
        with game.turning():
            knob.set(
                self.kind,
                self.weight,
                every=self.every,
                relative=self.relative,
                batch=self.batch,
                ramp=self.ramp,
            )
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The weight now."""
        return game.penalty.weight(self.kind)

    def target(self, game: "TreatedGame") -> Json:
        """The weight to be."""
        return self.weight

    def describe(self) -> str:
        """``R1 0 → 0.5 on D, every 16 steps``."""
        if self.before is None:
            return f"{self.kind} {shown(self.weight)} on D, every {self.every} steps"
        if not self.weight:
            return f"{self.kind} {shown(self.before)} → 0 on D"
        return (
            f"{self.kind} {shown(self.before)} → {shown(self.after)} on D, every {self.every} steps"
        )
