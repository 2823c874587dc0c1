"""A game replaced by its linearisation, where that changes nothing: at an equilibrium."""

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation
from steadygan.dynamics.step_map import StepMap
from steadygan.updates import Point, Totals, UpdateRule

_AT_REST = 1e-12


class _NeedsLosses(Exception):
    """A rule asked for more than the field."""


class _Linear(FlatGame):
    """The field J x, and no losses."""

    has_equilibrium = True

    def __init__(self, game: FlatGame, jacobian: Float64[Tensor, "n n"]) -> None:
        self.name, self.num_g, self.num_d = game.name, game.num_g, game.num_d
        self.jacobian = jacobian
        self.start = torch.zeros(len(jacobian), dtype=jacobian.dtype, device=jacobian.device)

    def __call__(self, point: Point) -> Point:
        return self.point(self.jacobian @ torch.cat([point.g, point.d]))

    def losses(self, point: Point) -> Totals:
        raise _NeedsLosses


def linear_twin(game: FlatGame, rule: UpdateRule, at: Vector) -> FlatGame | None:
    """A game whose steps have the same Jacobian at 0 as the game's have at this point, and cost a matrix product.

    Where the field is 0, the Jacobian of a step that is made of the field and its derivatives depends on the field's
    Jacobian J alone: what a step does with higher derivatives it multiplies by the field. None where the field is not
    0 to round-off, or where the rule looks into the losses themselves.
    """
    local = Linearisation(game.field, at, name=f"the {game.name} game")
    jacobian = local.finite_dense()
    if float(local.value.norm()) > _AT_REST * float(jacobian.norm()):
        return None
    twin = _Linear(game, jacobian)
    try:
        StepMap(twin, rule, lr_g=1e-3, lr_d=1e-3).linearised()
    except _NeedsLosses:
        return None
    return twin
