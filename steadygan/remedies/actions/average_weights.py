"""Keep a running average of G to sample from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json, shown

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class AverageWeights(Action):
    """Sample from a running average of G's weights and buffers; the training never sees it.

    w̄ ← w̄ + (1 − β)(w − w̄) after each of G's steps,   β = 2^(−1/half_life), capped early on

    Samples of a G that circles its goal get better and steadier. It does not change the game, and it hides a
    collapse for some half-lives: judge the live G. Undone, the average is forgotten. Cost: one pass over
    G's weights a step, one copy of G.

    Args:
        half_life: G's steps after which a weight's influence has halved, > 0; None is off.

    Raises:
        ActionError: for another half-life, or a G that cannot be copied.

    Source: Yazıcı et al. (2019), arXiv 1806.04498, eq. 1; Karras et al. (2018), arXiv 1710.10196, section 3.
    """

    half_life: float | None

    def apply(self, game: "TreatedGame") -> "AverageWeights":
        """Begin, change or end it."""
        undo = AverageWeights(
            game.average.half_life, before=self.target(game), after=self.reading(game)
        )
        with game.turning():
            game.average.set(self.half_life)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The half-life now."""
        return game.average.half_life

    def target(self, game: "TreatedGame") -> Json:
        """The half-life to be."""
        return self.half_life

    def describe(self) -> str:
        """``sample from an average of G with a half-life of 1000 steps``."""
        if self.half_life is None:
            return "sample from the generator in training"
        return f"sample from an average of G with a half-life of {shown(self.half_life)} steps"
