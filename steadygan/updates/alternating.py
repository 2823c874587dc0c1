"""Alternating updates k:1: D moves k times, then G moves against the D that has moved."""

from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.types import StepInfo
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, Rates, State
from steadygan.updates.rule import Draw, UpdateRule


class Alternating(UpdateRule):
    """D takes ``d_steps`` steps on fresh batches, then G one step on another: the usual way to train a GAN.

    φ ← φ − η_d ∇_φ L_d(θ, φ)  (k times),   θ ← θ − η_g ∇_θ L_g(θ, φ)

    On a bilinear game it stays at a constant distance from the equilibrium where simultaneous steps diverge.
    Cost: k + 1 gradients, 4 passes through G and 8 through D for k = 1.

    Args:
        g, d: the players' optimizers.
        d_steps: D's steps for each of G's, >= 1; 5 is usual for Wasserstein critics.
        share_fakes: G's step uses the samples (and the pass through G) of D's last step instead of fresh ones.
            Saves a pass of G; changes the mathematics slightly: G answers a D that has just seen these samples.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, Algorithm 1.
    """

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        d_steps: int = 1,
        share_fakes: bool = False,
    ) -> None:
        super().__init__(g, d)
        if d_steps < 1:
            raise ConfigError(
                f"Alternating.d_steps must be >= 1, got {d_steps}; to slow D down, lower its rate."
            )
        self.d_steps = d_steps
        self.gradients_per_step = d_steps + 1.0
        self.share_fakes = share_fakes

    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """D k times, then G against the D that has moved."""
        for _ in range(self.d_steps):
            point = Point(point.g, point.d - rates.d * field(point).d)
        return Point(point.g - rates.g * field(point).g, point.d), state

    def step(self, game: Game, draw: Draw, step: int) -> StepInfo:
        """D's steps, then G's."""
        for remaining in reversed(range(self.d_steps)):
            batch = draw()
            fake = game.generate(batch) if self.share_fakes and not remaining else None
            grad_d = game.gradient("d", batch, step, fake=fake)
            self.move(game, batch, step, {"d": grad_d})
        if not self.share_fakes:
            batch = draw()
        grad_g = game.gradient("g", batch, step, fake=fake)
        self.move(game, batch, step, {"g": grad_g})
        return StepInfo(self.signals({"d": grad_d, "g": grad_g}))
