"""Consensus optimisation: both players also reduce the length of the whole gradient field."""

from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.jacobian import Linearised
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class Consensus(Directed):
    """Each player adds to its loss the squared length of both players' gradients.

    w ← w − η (v(w) + γ ∇ ½‖v(w)‖²) = w − η (v + γ Jᵀv),   J = ∂v/∂w

    Turns rotation into contraction: an eigenvalue ± i s of J gains the real part γ s². It also draws towards every
    point where v is small, good or bad, and ½‖v‖² of a batch is a biased estimate of that of the data: small γ, large
    batches.
    Around any optimizer, which is given the bracket. Not with float16 loss scales, several processes or compiled
    networks. Cost: the gradients and one product Jᵀv, 4 gradients.

    Args:
        g, d: the players' optimizers.
        weight: γ >= 0; the paper's is 10 with rates of 1e-4, 0.1 suits rates near 1e-2.

    Raises:
        ConfigError: if weight < 0; in ``step`` where the game cannot be differentiated twice.

    Source: Mescheder, Nowozin, Geiger (2017), arXiv 1705.10461, algorithm 2; no difference.
    """

    gradients_per_step = 4.0
    needs_curvature = True

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        weight: float = 0.1,
    ) -> None:
        super().__init__(g, d)
        if not 0 <= weight < float("inf"):
            raise ConfigError(
                f"Consensus.weight must be >= 0 and finite, got {weight}; use simultaneous for 0."
            )
        self.weight = weight

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v + γ Jᵀv."""
        here = Linearised(field, reach.start)
        return here.value + self.weight * here.transposed(here.value), ()
