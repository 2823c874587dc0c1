"""Let no optimizer move on a gradient that is no number."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class GuardSteps(Action):
    """A step on a gradient without a finite norm is a no-op for its player, counted and located.

    The first line of treatment and the only one that may be on in a healthy run: it changes nothing as long
    as gradients are finite. Nothing reaches weights, moments, counters, weight decay or momentum. What
    happened is in ``game.guard.incidents``; what is poisoned already, by a weight or a batch in batch norm,
    ``game.poisoned()`` finds. Cost: one read of the gradients; on a GPU each step waits for the answer.

    Args:
        is_on: whether to guard.

    Source: Micikevicius et al. (2018), arXiv 1710.03740, section 3.2: skip the step on an overflow.
    """

    is_on: bool = True

    def apply(self, game: "TreatedGame") -> "GuardSteps":
        """Guard, or stop."""
        undo = GuardSteps(game.guard.is_on, before=self.target(game), after=self.reading(game))
        with game.turning():
            game.guard.set(self.is_on)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """Whether it is on."""
        return game.guard.is_on

    def target(self, game: "TreatedGame") -> Json:
        """Whether it is to be on."""
        return self.is_on

    def describe(self) -> str:
        """``skip steps whose gradient is not finite``."""
        if self.is_on:
            return "skip steps whose gradient is not finite"
        return "make steps on whatever gradient there is"
