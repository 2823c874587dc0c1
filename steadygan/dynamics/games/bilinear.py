"""The bilinear game: nothing but rotation."""

import torch
from torch import Tensor

from steadygan.dynamics.games.flat_game import FlatGame, require_finite
from steadygan.dynamics.games.quadratic import require_invertible
from steadygan.errors import ConfigError
from steadygan.updates import Point, Totals


class Bilinear(FlatGame):
    """Each player's loss is linear in its own parameters: the purest adversarial game.

    L_g = θᵀMφ,   L_d = −θᵀMφ,   field = (Mφ, −Mᵀθ)

    The equilibrium is 0. The field's eigenvalues are ±i s for every singular value s of M, so the flow circles for
    ever and all that happens is the update rule's doing: simultaneous steps spiral out, alternating ones orbit.
    Cost: two products with M.

    Args:
        matrix: M; a number is a 1 x 1 matrix. A rectangular one leaves the longer player directions without any
            gradient, where every rule has an eigenvalue 1.

    Shape: matrix (num_g, num_d).

    Raises:
        ConfigError: if M is empty, not finite, or without full rank.

    Source: Gidel et al. (2019), arXiv 1802.10551, section 2 and 3.

    >>> Bilinear(2.0).field(torch.tensor([1.0, 3.0], dtype=torch.float64))
    tensor([ 6., -2.], dtype=torch.float64)
    """

    name = "bilinear"
    has_equilibrium = True

    def __init__(self, matrix: Tensor | float = 1.0) -> None:
        given = torch.as_tensor(matrix).to(torch.float64)
        given = given.reshape(1, 1) if given.ndim == 0 else given
        if given.ndim != 2 or given.numel() == 0:
            raise ConfigError(
                f"the matrix of a bilinear game must have rows and columns, got shape {tuple(given.shape)}; "
                "give a number or a matrix."
            )
        require_finite("the matrix of a bilinear game", given)
        require_invertible(self.name, given)
        self.matrix = given
        self.num_g, self.num_d = given.shape
        self.start = torch.zeros(self.num_g + self.num_d, dtype=torch.float64)

    def losses(self, point: Point) -> Totals:
        """±θᵀMφ."""
        value = point.g @ self.matrix @ point.d
        return Totals(value, -value)

    def __call__(self, point: Point) -> Point:
        """(Mφ, −Mᵀθ), without a way round through the losses."""
        return Point(self.matrix @ point.d, -(self.matrix.T @ point.g))
