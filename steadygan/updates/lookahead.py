"""Lookahead-minimax: every k steps both players fall back part of the way to where they were."""

from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.types import StepInfo
from steadygan.updates.alternating import Alternating
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, Rates, State, place, stand
from steadygan.updates.rule import Draw


class Lookahead(Alternating):
    """Alternating steps; on steps divisible by ``every`` the weights are averaged with those of ``every`` steps ago.

    w ← s + α (w − s),   s ← w   (every k steps, both players together; s: the slow weights)

    Points of an orbit lie around its centre, so their mean lies inside: rotation is damped, noise averaged. A fixed
    step backwards costs nothing else. Best where training circles; it slows training that does not.
    Around any optimizer: moments go on as if nothing had happened, as do running statistics. Cost: that of alternating
    steps and one copy of the weights kept.

    Args:
        g, d: the players' optimizers.
        every: k >= 1 steps between two averages.
        weight: α in (0, 1], the share of the fast weights; 1 never falls back.
        d_steps, share_fakes: as in ``Alternating``.

    Raises:
        ConfigError: for options out of range.

    Source: Chavdarova, Pagliardini, Stich, Fleuret, Jaggi (2021), arXiv 2006.14567, algorithm 1, one level.
    """

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        every: int = 5,
        weight: float = 0.5,
        d_steps: int = 1,
        share_fakes: bool = False,
    ) -> None:
        super().__init__(g, d, d_steps=d_steps, share_fakes=share_fakes)
        if every < 1:
            raise ConfigError(f"Lookahead.every must be >= 1, got {every}; 5 is usual.")
        if not 0 < weight <= 1:
            raise ConfigError(f"Lookahead.weight must be in (0, 1], got {weight}; 0.5 is usual.")
        self.period = every
        self.weight = weight

    def begin(self, field: Field, point: Point) -> State:
        """The slow weights, here."""
        return point.g, point.d

    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """An alternating step, and the average when it is due."""
        point, _ = super().map(field, point, (), rates, step)
        if step % self.period:
            return point, state
        slow = Point(*state)
        slow = slow + self.weight * (point - slow)
        return slow, (slow.g, slow.d)

    def step(self, game: Game, draw: Draw, step: int) -> StepInfo:
        """An alternating step, and the average when it is due."""
        if self.memory is None:
            start = stand(game.parameters("g"), game.parameters("d"))
            self.memory = start.g, start.d
        info = super().step(game, draw, step)
        if step % self.period == 0:
            slow, fast = Point(*self.memory), stand(game.parameters("g"), game.parameters("d"))
            slow = slow + self.weight * (fast - slow)
            place(slow, game.parameters("g"), game.parameters("d"))
            game.constrain()
            self.memory = slow.g, slow.d
        return info
