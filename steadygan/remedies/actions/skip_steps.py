"""Let a player move in a share of its steps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import PLAYER_NAMES, Action, Json, shown
from steadygan.types import Player

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class SkipSteps(Action):
    """A player moves in a share of its optimizer steps, evenly spread; the others are no-ops for it.

    A skipped step changes neither its weights nor its moments, counters, weight decay or momentum. Use it to
    change the ratio of the players' steps where the loop's own cannot be reached. The skipped gradients are
    computed all the same, so that nothing gets faster.

    Args:
        player: whose.
        share: of its steps in which it moves, within 1/16 to 1; 1 is off.
        elapsed: steps counted so far, which says whose turn is next.

    Raises:
        ActionError: beyond the limits.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, algorithm 1 (k steps of D for one of G).
    """

    player: Player
    share: float
    elapsed: int = 0

    def apply(self, game: "TreatedGame") -> "SkipSteps":
        """Set the share."""
        knob = game.shares[self.player]
        undo = SkipSteps(
            self.player,
            knob.share,
            knob.elapsed,
            before=self.target(game),
            after=self.reading(game),
        )
        with game.turning():
            knob.set(self.share, self.elapsed)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The share now."""
        return game.shares[self.player].share

    def target(self, game: "TreatedGame") -> Json:
        """The share to be."""
        return self.share

    def describe(self) -> str:
        """``discriminator moves in 0.5 of its steps (before: 1)``."""
        name = PLAYER_NAMES[self.player]
        before = "" if self.before is None else f" (before: {shown(self.before)})"
        return f"{name} moves in {shown(self.share)} of its steps{before}"
