"""Symplectic gradient adjustment: the rotation in the field is turned towards its centre."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.jacobian import Linearised
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach

_TOWARDS = 0.1  # ε of the paper: where both products vanish the adjustment is kept


class SymplecticAdjustment(Directed):
    """Adds the antisymmetric part of the field's Jacobian, applied to the field itself.

    w ← w − η (v + λ Aᵀv),   A = (J − Jᵀ)/2,   J = ∂v/∂w

    The adjustment is orthogonal to the field. In a potential game A = 0 and nothing is added; in a Hamiltonian one it
    is consensus optimisation. With ``align`` λ takes the sign of ⟨v, ∇H⟩⟨Aᵀv, ∇H⟩/n + ε, with ∇H = Jᵀv, n the number
    of parameters, ε = 1/10: so that it pushes towards stable fixed points and away from unstable ones.
    Around any optimizer, which is given the bracket. Not with float16 loss scales, several processes or compiled
    networks. Cost: the gradients and the products Jᵀv and J v, 10 gradients.

    Args:
        g, d: the players' optimizers.
        weight: λ >= 0 [1].
        align: choose λ's sign at every step.

    Raises:
        ConfigError: if weight < 0; in ``step`` where the game cannot be differentiated twice.

    Source: Balduzzi, Racaniere, Martens, Foerster, Tuyls, Graepel (2018), arXiv 1802.05642, algorithm 1; no difference.
    """

    gradients_per_step = 10.0
    needs_curvature = True

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        weight: float = 1.0,
        align: bool = True,
    ) -> None:
        super().__init__(g, d)
        if not 0 <= weight < float("inf"):
            raise ConfigError(
                f"SymplecticAdjustment.weight must be >= 0 and finite, got {weight}; 1 is the paper's."
            )
        self.weight = weight
        self.align = align

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v + λ Aᵀv."""
        here = Linearised(field, reach.start)
        value = here.value
        energy = here.transposed(value)
        adjustment = 0.5 * (energy - here.times(value))
        sign = self._sign(value, energy, adjustment) if self.align else 1.0
        return value + self.weight * (sign * adjustment), ()

    def _sign(self, value: Point, energy: Point, adjustment: Point) -> Tensor:
        num = len(value.g) + len(value.d)
        with torch.no_grad():
            agreement = value.dot(energy) * adjustment.dot(energy) / num + _TOWARDS
        return torch.where(agreement < 0, -1.0, 1.0).to(agreement)
