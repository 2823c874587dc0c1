"""Scale a player's learning rate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import PLAYER_NAMES, Action, Json, shown
from steadygan.types import Player

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class ScaleLearningRate(Action):
    """A player learns at ``factor`` times the rate that the loop's own schedule gives.

    lr_t ← factor · lr_t  during each step, and back after it

    The first thing to try where one player outruns the other: the generator's for collapse, the
    discriminator's where it overpowers. Momentum and moments stay. Cost: none.

    Args:
        player: whose.
        factor: of the rate the run would have without treatment, within 1/16 to 2; 1 is off.

    Raises:
        ActionError: beyond the limits, without a learning rate, or for a group with both players' weights.

    Source: Heusel et al. (2017), arXiv 1706.08500 (two time scales); Brock, Donahue, Simonyan (2019), arXiv 1809.11096,
    section 4.2: a lower rate for G just before collapse delays it.
    """

    player: Player
    factor: float

    def apply(self, game: "TreatedGame") -> "ScaleLearningRate":
        """Set the factor."""
        knob = game.rates[self.player]
        undo = ScaleLearningRate(
            self.player, knob.factor, before=self.target(game), after=self.reading(game)
        )
        with game.turning():
            knob.set(self.factor)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The rate in effect."""
        rate = game.rates[self.player].rate()
        return None if rate is None else rate * game.rates[self.player].factor

    def target(self, game: "TreatedGame") -> Json:
        """The rate to be."""
        rate = game.rates[self.player].rate()
        return None if rate is None else rate * self.factor

    def describe(self) -> str:
        """``generator lr 0.001 → 0.00025``."""
        name = PLAYER_NAMES[self.player]
        if self.before is None:
            return f"{name} lr × {shown(self.factor)}"
        return f"{name} lr {shown(self.before)} → {shown(self.after)}"
