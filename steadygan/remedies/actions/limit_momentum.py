"""Bound a player's momentum."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import PLAYER_NAMES, Action, Json, shown
from steadygan.types import Player

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class LimitMomentum(Action):
    """A player's momentum is at most ``limit``: Adam's β₁, or SGD's momentum.

    β₁ ← min(β₁, limit)  during each step, and back after it

    Momentum that speeds up the descent into a valley lengthens the orbit around an equilibrium: where nothing damps the
    game, positive momentum makes it diverge. The moments stay, and are forgotten at the new rate. Cost: none.

    Args:
        player: whose.
        limit: in [0, 1); None is off.

    Raises:
        ActionError: beyond that.

    Source: Gidel et al. (2019), arXiv 1807.04740, theorem 6 (negative momentum helps, positive hurts); Radford, Metz,
    Chintala (2016), arXiv 1511.06434, section 4: β₁ = 0.9 made training oscillate.
    """

    player: Player
    limit: float | None

    def apply(self, game: "TreatedGame") -> "LimitMomentum":
        """Set the bound."""
        knob = game.momenta[self.player]
        undo = LimitMomentum(
            self.player, knob.limit, before=self.target(game), after=self.reading(game)
        )
        with game.turning():
            knob.set(self.limit)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The momentum in effect."""
        return _bounded(game.momenta[self.player].momentum(), game.momenta[self.player].limit)

    def target(self, game: "TreatedGame") -> Json:
        """The momentum to be."""
        return _bounded(game.momenta[self.player].momentum(), self.limit)

    def describe(self) -> str:
        """``generator momentum 0.9 → 0``."""
        name = PLAYER_NAMES[self.player]
        if self.before is None:
            return f"{name} momentum <= {'1' if self.limit is None else shown(self.limit)}"
        return f"{name} momentum {shown(self.before)} → {shown(self.after)}"


def _bounded(momentum: float | None, limit: float | None) -> float | None:
    return momentum if momentum is None or limit is None else min(momentum, limit)
