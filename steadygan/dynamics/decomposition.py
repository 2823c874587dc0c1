"""How much of a game is cooperation downhill and how much is rotation: the potential and the Hamiltonian part."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.dynamics.flow import DENSE
from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation


@dataclass(frozen=True)
class Decomposition:
    """J = S + A with S = (J + Jᵀ)/2, the potential part, and A = (J − Jᵀ)/2, the Hamiltonian part.

    Attributes:
        potential, hamiltonian: Frobenius norms ‖S‖, ‖A‖.
        s, a: the matrices, for games small enough; else None.
    """

    potential: float
    hamiltonian: float
    s: Float64[Tensor, "n n"] | None
    a: Float64[Tensor, "n n"] | None

    @property
    def hamiltonian_share(self) -> float:
        """‖A‖² / (‖S‖² + ‖A‖²), in [0, 1]: 0 for a potential game, where gradient descent is at home; 1 for a
        Hamiltonian one, where it circles.
        """
        total = self.potential**2 + self.hamiltonian**2
        return self.hamiltonian**2 / total if total else 0.0


def decompose(
    game: FlatGame, point: Vector | None = None, *, num_draws: int = 64, seed: int = 0
) -> Decomposition:
    """Split a game's Jacobian at a point into its potential and its Hamiltonian part.

    Exact up to 400 parameters. Beyond, the norms are estimates from random signs v, ‖S‖² = E ‖Sv‖², whose relative
    standard error is below √(2 / num_draws), and far below it for a network.

    Args:
        game: whose field.
        point: where; None: where the game stands.
        num_draws: random vectors for a large game; each costs two products.
        seed: of those.

    Source: Balduzzi et al. (2018), arXiv 1802.05642, lemma 1; Letcher et al. (2019), arXiv 1905.04926, section 2.
    """
    at = game.start if point is None else point
    local = Linearisation(game.field, at, name=f"the {game.name} game")
    if len(at) <= DENSE:
        jacobian = local.dense()
        s, a = (jacobian + jacobian.T) / 2, (jacobian - jacobian.T) / 2
        return Decomposition(float(s.norm()), float(a.norm()), s, a)
    generator = torch.Generator().manual_seed(seed)
    squares = torch.zeros(2, dtype=torch.float64)
    for _ in range(num_draws):
        signs = torch.randint(0, 2, (len(at),), generator=generator).to(at) * 2 - 1
        forth, back = local.times(signs), local.transposed_times(signs)
        squares[0] += float((forth + back).square().sum()) / 4
        squares[1] += float((forth - back).square().sum()) / 4
    potential, hamiltonian = (squares / num_draws).sqrt().tolist()
    return Decomposition(potential, hamiltonian, None, None)
