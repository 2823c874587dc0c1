"""Anchored steps: both players are drawn towards where they have been of late."""

from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class Anchored(Directed):
    """Each player adds a spring to an anchor, the running mean of its own weights.

    a ← δ a + (1 − δ) w,   w ← w − η (v(w) + γ (w − a))

    The centre of a rotation is where its running mean lies: the spring damps the game and, as the anchor follows, moves
    no equilibrium. With δ = 1 the anchor stays where training began and equilibria shift towards it. Too strong a
    spring (η γ > 1) or too slow an anchor holds training back.
    Around any optimizer, which is given the bracket. The anchor starts at the first weights. Cost: 1 field evaluation,
    2 gradients, one copy of the weights kept.

    Args:
        g, d: the players' optimizers.
        weight: γ >= 0, stiffness of the spring [loss units per squared weight].
        decay: δ in [0, 1]: the share of the old anchor kept each step.

    Raises:
        ConfigError: for options out of range.

    Source: anchoring: Ryu, Yuan, Yin (2019), arXiv 1905.10899, section 4, whose anchor is fixed and whose spring
    weakens as 1/t; a moving anchor: Zhang, Xiao, Sun, Luo (2020), arXiv 2010.15768, algorithm 2, there for one player
    and after the step instead of before.
    """

    gradients_per_step = 2.0

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        weight: float = 0.1,
        decay: float = 0.99,
    ) -> None:
        super().__init__(g, d)
        if not 0 <= weight < float("inf"):
            raise ConfigError(
                f"Anchored.weight must be >= 0 and finite, got {weight}; use simultaneous for 0."
            )
        if not 0 <= decay <= 1:
            raise ConfigError(f"Anchored.decay must be in [0, 1], got {decay}; 1 never moves it.")
        self.weight, self.decay = weight, decay

    def begin(self, field: Field, point: Point) -> State:
        """The anchor, here."""
        return point.g, point.d

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v + γ (w − a)."""
        anchor = self.decay * Point(*state) + (1 - self.decay) * reach.start
        return field(reach.start) + self.weight * (reach.start - anchor), (anchor.g, anchor.d)
