"""Quadratic games: every game near an equilibrium, with the field's Jacobian in plain sight."""

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.dynamics.games.flat_game import FlatGame, require_finite
from steadygan.errors import ConfigError
from steadygan.updates import Point, Totals

Matrix = Float64[Tensor, "rows columns"]


class Quadratic(FlatGame):
    """Both losses are quadratic, so the field is linear and its Jacobian is the same everywhere.

    L_g = ½ θᵀAθ + θᵀBφ − ½ φᵀCφ,   L_d = ½ φᵀCφ + φᵀDθ − ½ θᵀAθ,   field(x) = J x,   J = [[A, B], [D, C]]

    A and C must be symmetric, as Hessians are; B and D are free, and D = −Bᵀ makes the game zero-sum. The terms in the
    other player's parameters alone are not in the field; only rules that look through the other player see them.
    The equilibrium is 0. Use it to study an update rule without a network: what a rule does here it does to every game
    whose linearisation is J. Cost: one product with J.

    Args:
        jacobian: J, rows of G's gradient first.
        num_g: how many of the coordinates are G's, in [1, n − 1].

    Shape: jacobian (n, n).

    Raises:
        ConfigError: if J is not square, not finite, singular, or a player's own block is not symmetric.

    Source: Letcher et al. (2019), arXiv 1905.04926, section 2 (the game's Hessian).

    >>> game = Quadratic(torch.tensor([[1.0, 2.0], [-2.0, 0.5]]), num_g=1)
    >>> game.field(torch.tensor([1.0, 1.0], dtype=torch.float64))
    tensor([ 3.0000, -1.5000], dtype=torch.float64)
    """

    has_equilibrium = True

    def __init__(self, jacobian: Tensor, num_g: int, *, name: str = "quadratic") -> None:
        matrix = torch.as_tensor(jacobian).to(torch.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ConfigError(
                f"the Jacobian of a {name} game must be square, got shape {tuple(matrix.shape)}; "
                "give as many rows as columns."
            )
        if not 1 <= num_g < len(matrix):
            raise ConfigError(
                f"num_g must be in [1, {len(matrix) - 1}], got {num_g}; each player needs a coordinate."
            )
        require_finite(f"the Jacobian of a {name} game", matrix)
        for player, block in (("g", matrix[:num_g, :num_g]), ("d", matrix[num_g:, num_g:])):
            if not torch.allclose(block, block.T, rtol=1e-12, atol=0):
                raise ConfigError(
                    f"{player}'s own block of the Jacobian must be symmetric, as a Hessian is, got "
                    f"{block.tolist()}; only the blocks between the players may be anything."
                )
        require_invertible(name, matrix)
        self.name = name
        self.jacobian = matrix
        self.num_g, self.num_d = num_g, len(matrix) - num_g
        self.start = torch.zeros(len(matrix), dtype=torch.float64)

    def losses(self, point: Point) -> Totals:
        """Both quadratics."""
        n, j = self.num_g, self.jacobian
        g, d = point.g, point.d
        own = (g @ j[:n, :n] @ g - d @ j[n:, n:] @ d) / 2
        return Totals(own + g @ j[:n, n:] @ d, d @ j[n:, :n] @ g - own)

    def __call__(self, point: Point) -> Point:
        """J x, without a way round through the losses."""
        return self.point(self.jacobian @ torch.cat([point.g, point.d]))


def require_invertible(name: str, matrix: Matrix) -> None:
    """Refuse a matrix whose equilibria are not isolated.

    Raises:
        ConfigError: for a matrix without full rank, to float64 round-off.
    """
    rank, full = int(torch.linalg.matrix_rank(matrix)), min(matrix.shape)
    if rank < full:
        raise ConfigError(
            f"the matrix of a {name} game must have full rank, got a singular one (rank {rank} of {full}): "
            "its equilibria are not isolated; remove dependent rows and columns."
        )
