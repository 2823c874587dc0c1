"""Competitive gradient descent: each player answers the step that the other is about to take."""

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
from steadygan.updates.solve import Operator, gmres, inverse


class Competitive(Directed):
    """Both players step to the Nash equilibrium of the game's bilinear approximation here.

    θ ← θ − η_g (I − η_g η_d A B)⁻¹ (v_g − η_d A v_d)
    φ ← φ − η_d (I − η_g η_d B A)⁻¹ (v_d − η_g B v_g),   A = ∂v_g/∂φ, B = ∂v_d/∂θ

    Stable at every coupling between the players on a bilinear game, as the stronger the coupling the shorter the step.
    Each system is solved by GMRES on products with A and B. The equation knows plain steps only: with SGD it is the
    paper's; with Adam, directions still answer the other player but for steps of plain length η, which Adam's are not.
    Not with float16 loss scales, several processes or compiled networks. Cost: 8 gradients, and 4 for each of up to
    ``iterations`` iterations; one or two do where rates are small.

    Args:
        g, d: the players' optimizers; the first parameter group's rate is η.
        iterations: of the solver, >= 1.
        tolerance: relative residual at which the solver stops; never less than rounding.

    Raises:
        ConfigError: for options out of range; in ``step`` where the game cannot be differentiated twice.

    Source: Schäfer, Anandkumar (2019), arXiv 1905.12103, eq. 4, for two rates; there conjugate gradients solve the
    zero-sum case, GMRES here also solves the general one, as with a non-saturating G.
    """

    needs_curvature = True

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        iterations: int = 20,
        tolerance: float = 1e-12,
    ) -> None:
        super().__init__(g, d)
        if iterations < 1:
            raise ConfigError(
                f"Competitive.iterations must be >= 1, got {iterations}; 20 is usual."
            )
        if not 0 <= tolerance < 1:
            raise ConfigError(f"Competitive.tolerance must be in [0, 1), got {tolerance}.")
        self.iterations, self.tolerance = iterations, tolerance
        self.gradients_per_step = 8.0 + 4.0 * iterations

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """Both answers."""
        here = Linearised(field, reach.start)
        v, rates = here.value, reach.rates
        a, b = here.g_in_d, here.d_in_g
        both = rates.g * rates.d

        def for_g(x: Tensor) -> Tensor:
            return x - both * a.times(b.times((x,)))[0]

        def for_d(x: Tensor) -> Tensor:
            return x - both * b.times(a.times((x,)))[0]

        def for_g_transposed(x: Tensor) -> Tensor:
            return x - both * b.transposed(a.transposed((x,)))[0]

        def for_d_transposed(x: Tensor) -> Tensor:
            return x - both * a.transposed(b.transposed((x,)))[0]

        g = self._solved(for_g, for_g_transposed, v.g - rates.d * a.times((v.d,))[0])
        d = self._solved(for_d, for_d_transposed, v.d - rates.g * b.times((v.g,))[0])
        return Point(g, d), ()

    def _solved(self, apply: Operator, transposed: Operator, rhs: Tensor) -> Tensor:
        limits = (self.tolerance, self.iterations)
        with torch.no_grad():
            found = gmres(apply, rhs.detach(), tolerance=limits[0], iterations=limits[1])
        if not rhs.requires_grad:
            return found
        return found - inverse(apply(found) - rhs, apply, transposed, *limits)
