"""Simultaneous updates: both players move from the same point."""

from steadygan.game import Game
from steadygan.types import Gradient, Player, StepInfo
from steadygan.updates.field import Field
from steadygan.updates.point import Point, Rates, State
from steadygan.updates.rule import Draw, UpdateRule


class Simultaneous(UpdateRule):
    """Both gradients are taken at the same point and on the same batch, then both players move.

    (θ, φ) ← (θ − η_g ∇_θ L_g(θ, φ),  φ − η_d ∇_φ L_d(θ, φ))

    One pass of G and one of D serve both players, about three quarters of the cost of alternating steps. On a
    bilinear game it spirals outwards at every learning rate; with R1 it converges locally.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, section 2.1.
    """

    gradients_per_step = 2.0

    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """Both gradients at the point, then both moves."""
        return point - rates * field(point), state

    def step(self, game: Game, draw: Draw, step: int) -> StepInfo:
        """Both gradients, then both moves; neither moves if one gradient is not finite."""
        batch = draw()
        grad_g, grad_d = game.gradients(batch, step)
        gradients: dict[Player, Gradient] = {"d": grad_d, "g": grad_g}
        self.move(game, batch, step, gradients)
        return StepInfo(self.signals(gradients))
