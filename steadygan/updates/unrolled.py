"""The unrolled discriminator: G moves against the D that would answer it."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class Unrolled(Directed):
    """G descends its loss after k imagined steps of D, through which it is differentiated; D takes one real step.

    φ⁰ = φ,  φⁱ⁺¹ = φⁱ − η_u ∇_φ L_d(θ, φⁱ)
    θ ← θ − η_g d/dθ L_g(θ, φᵏ(θ, φ)),   φ ← φ − η_d ∇_φ L_d(θ, φ)

    G sees how D would react, which keeps it from leaping to one mode and back. On a bilinear game with one rate G gains
    a term that damps it.
    G and D may use any optimizer; the imagined steps are plain descent. With SGD in D they take D's rate; with Adam
    that is far shorter than D's real steps, so set ``rate``. Not with float16 loss scales, several processes or
    compiled networks. Cost: k gradients of D kept in one graph and a backward pass through all, about 2 + 3k gradients
    and the memory of k steps.

    Args:
        g, d: the players' optimizers.
        steps: k >= 1.
        rate: η_u > 0 of the imagined steps; None: D's rate.

    Raises:
        ConfigError: for options out of range; in ``step`` where the game cannot be differentiated twice.

    Source: Metz, Poole, Pfau, Sohl-Dickstein (2017), arXiv 1611.02163, eqs. 8 to 12; no difference.
    """

    needs_curvature = True

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        steps: int = 5,
        rate: float | None = None,
    ) -> None:
        super().__init__(g, d)
        if steps < 1:
            raise ConfigError(
                f"Unrolled.steps must be >= 1, got {steps}; use simultaneous for none."
            )
        if rate is not None and not 0 < rate < float("inf"):
            raise ConfigError(f"Unrolled.rate must be > 0 and finite, got {rate}.")
        self.steps, self.rate = steps, rate
        self.gradients_per_step = 2.0 + 3.0 * steps

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """G's gradient through D's imagined steps, and D's plain gradient."""
        keep = reach.start.requires_grad
        theta, phi = reach.start.attached().g, reach.start.attached().d
        rate = reach.rates.d if self.rate is None else self.rate
        first: Tensor | None = None
        with torch.enable_grad():
            for _ in range(self.steps):
                phi, grad_d = self._imagined(field, theta, phi, rate)
                first = grad_d if first is None else first
            total = field.losses(Point(theta, phi)).g
        assert first is not None
        grad_g = _gradient(total, theta, create_graph=keep)
        return Point(grad_g, first if keep else first.detach()), ()

    @staticmethod
    def _imagined(
        field: Field, theta: Tensor, phi: Tensor, rate: float | Tensor
    ) -> tuple[Tensor, Tensor]:
        at = phi.view_as(phi)
        grad = _gradient(field.losses(Point(theta, at)).d, at, create_graph=True)
        return phi - rate * grad, grad


def _gradient(total: Tensor, vector: Tensor, *, create_graph: bool) -> Tensor:
    if not total.requires_grad:
        return torch.zeros_like(vector)
    (grad,) = torch.autograd.grad(
        total, vector, create_graph=create_graph, allow_unused=True, materialize_grads=True
    )
    return grad
