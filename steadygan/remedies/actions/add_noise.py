"""Show D everything through fading noise."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json, shown

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class AddNoise(Action):
    """Gaussian noise on all that D is shown in training, reals and fakes, fading to nothing.

    x ← x + σ_t·n,   σ_t = amount · spread(real) · max(0, 1 − t/decay),   t D's steps

    For a discriminator that separates the two sides without effort: noise makes their supports overlap, so
    that G has a gradient again. It blurs what D can see; G does not learn the noise as both sides have it.
    Passes of probes, of evaluations, and of other treatments see clean samples. The noise has random numbers
    of its own. Cost: one draw of the batch's size a pass of D.

    Args:
        amount: standard deviation in units of the data's own, within 0 to 1; 0 is off.
        decay: D's steps until it is gone, >= 1.
        elapsed: D's steps of it that are over.

    Raises:
        ActionError: beyond the limits, or where no reals were given.

    Source: Sønderby et al. (2017), arXiv 1610.04490, section 3.2 (instance noise); Arjovsky, Bottou (2017), arXiv
    1701.04862, section 3.
    """

    amount: float
    decay: int = 1000
    elapsed: int = 0

    def apply(self, game: "TreatedGame") -> "AddNoise":
        """Begin, change or end it."""
        knob = game.noise
        undo = AddNoise(
            knob.amount,
            knob.decay,
            knob.elapsed,
            before=self.target(game),
            after=self.reading(game),
        )
        spread = game.real.spread() if self.amount else knob.spread
        with game.turning():
            knob.set(self.amount, self.decay, self.elapsed, spread)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """Its standard deviation now, in units of the data's."""
        return game.noise.strength

    def target(self, game: "TreatedGame") -> Json:
        """What it is to begin with."""
        return self.amount * max(0.0, 1 - self.elapsed / self.decay)

    def describe(self) -> str:
        """``noise of 0.1 of the data's spread on D's inputs, gone after 1000 steps``."""
        if not self.amount:
            return "no noise on D's inputs"
        return (
            f"noise of {shown(self.amount)} of the data's spread on D's inputs, gone after {self.decay} steps "
            f"of D (before: {shown(self.before)})"
        )
