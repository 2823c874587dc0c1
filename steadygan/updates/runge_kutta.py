"""Runge-Kutta steps: the continuous game of gradient flow, integrated more exactly than by Euler's steps."""

from typing import ClassVar

from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.jacobian import Linearised
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class RungeKutta(Directed):
    """One explicit Runge-Kutta step of ẇ = −v(w), with the generator's gradient kept short by D.

    v₁ = v(w),  v_i = v(w − c_i η v_{i−1}),  w ← w − η (Σ b_i v_i + γ (0, ∇_φ ‖∇_θ L_g(w)‖²))

    Args:
        g, d: the players' optimizers.
        weight: γ >= 0: D also descends the squared length of G's gradient, taken where the step begins; 0 is off.

    Raises:
        ConfigError: if weight < 0; with weight > 0 in ``step`` where the game cannot be differentiated twice.
    """

    shares: ClassVar[tuple[float, ...]]
    """c₂ … : how far each further stage reaches along the stage before."""

    weights: ClassVar[tuple[float, ...]]
    """b₁ … : of each stage in the step."""

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        weight: float = 0.0,
    ) -> None:
        super().__init__(g, d)
        if not 0 <= weight < float("inf"):
            raise ConfigError(
                f"{type(self).__name__}.weight must be >= 0 and finite, got {weight}; 0 switches it off."
            )
        self.weight = weight
        self.needs_curvature = weight > 0
        self.gradients_per_step = 2.0 * len(self.weights) + (2.0 if weight > 0 else 0.0)

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """The stages' weighted sum, and the regularisation of D."""
        stage, pull = self._first(field, reach.start)
        total = self.weights[0] * stage
        for share, weight in zip(self.shares, self.weights[1:], strict=True):
            stage = field(reach.ahead(stage, share))
            total = total + weight * stage
        return (total if pull is None else total + pull), ()

    def _first(self, field: Field, start: Point) -> tuple[Point, Point | None]:
        if not self.weight:
            return field(start), None
        here = Linearised(field, start)
        (slope,) = here.g_in_d.transposed((here.value.g,))
        return here.value, Point(0 * here.value.g, 2 * self.weight * slope)


class RungeKutta2(RungeKutta):
    """Heun's step: the mean of the gradients here and one step ahead.

    w ← w − η (v₁ + v₂)/2,  v₂ = v(w − η v₁);  with ``weight`` γ, D also descends γ ‖∇_θ L_g‖²

    Follows rotation to second order: on a bilinear game |λ|² = 1 + η⁴s⁴/4, which grows far more slowly than
    simultaneous steps but grows; convergence must come from the game or from ``weight``. Take ``RungeKutta4`` for
    games that only rotate.
    Around any optimizer: a stage lies a share of the optimizer's own step ahead, and the optimizer is given the mean.
    The paper's is plain SGD with large rates; under Adam the order of the integration means little. Not with float16
    loss scales, several processes or compiled networks if weight > 0. Cost: 4 gradients, 6 with ``weight``.

    Args:
        g, d: the players' optimizers.
        weight: γ >= 0: the paper's λ, 0.002 to 0.01 there; 0 is off.

    Raises:
        ConfigError: if weight < 0; with weight > 0 in ``step`` where the game cannot be differentiated twice.

    Source: Qin, Wu, Springenberg, Brock, Donahue, Lillicrap, Kohli (2020), arXiv 2010.15040, algorithm 1 with Heun's
    method; D's term joins the same optimizer step here.
    """

    shares = (1.0,)
    weights = (0.5, 0.5)


class RungeKutta4(RungeKutta):
    """The classic fourth-order step, from the gradients at four points.

    w ← w − η (v₁ + 2 v₂ + 2 v₃ + v₄)/6,  with shares ½, ½, 1;  with ``weight`` γ, D also descends γ ‖∇_θ L_g‖²

    On a bilinear game it converges while η s < 2√2, at |λ|² = 1 − η⁶s⁶/72 + η⁸s⁸/576: very slowly, since the exact flow
    circles for ever.
    Around any optimizer, as ``RungeKutta2``. Cost: 8 gradients, 10 with ``weight``.

    Args:
        g, d: the players' optimizers.
        weight: γ >= 0: the paper's λ, 0.002 to 0.01 there; 0 is off.

    Raises:
        ConfigError: if weight < 0; with weight > 0 in ``step`` where the game cannot be differentiated twice.

    Source: Qin, Wu, Springenberg, Brock, Donahue, Lillicrap, Kohli (2020), arXiv 2010.15040, algorithm 1 with RK4; D's
    term joins the same optimizer step here.
    """

    shares = (0.5, 0.5, 1.0)
    weights = (1 / 6, 1 / 3, 1 / 3, 1 / 6)
