"""Optimistic gradients: twice the gradient of now less that of before."""

from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class Optimistic(Directed):
    """Each step also moves by the change of the gradient since the last one, as a forecast of the next.

    w_{t+1} = w_t − η [ v(w_t) + α (v(w_t) − v(w_{t−1})) ],   w = (θ, φ), v = (∇_θ L_g, ∇_φ L_d)

    Nearly the damping of extragradient at the cost of simultaneous steps; on a bilinear game with eigenvalue s and
    α = 1 it converges while η s < 1/√3. The first step is plain. Gradients of different batches are compared, so large
    noise is amplified.
    Around any optimizer, which is given the bracket as its gradient. Cost: 1 field evaluation, 2 gradients, and one
    copy of the gradients kept.

    Args:
        g, d: the players' optimizers.
        weight: α >= 0 [1]; 1 is the paper's, 0 are simultaneous steps.

    Raises:
        ConfigError: if weight < 0.

    Source: Daskalakis, Ilyas, Syrgkanis, Zeng (2018), arXiv 1711.00141, section 2, for α = 1 (their optimistic Adam
    takes the difference of Adam's steps, here Adam takes the difference of gradients); general α: Mokhtari, Ozdaglar,
    Pattathil (2020), arXiv 1901.08511, generalized OGDA.
    """

    gradients_per_step = 2.0

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        weight: float = 1.0,
    ) -> None:
        super().__init__(g, d)
        if not 0 <= weight < float("inf"):
            raise ConfigError(
                f"Optimistic.weight must be >= 0 and finite, got {weight}; 1 is the paper's."
            )
        self.weight = weight

    def begin(self, field: Field, point: Point) -> State:
        """The gradients here, as if nothing had changed."""
        now = field(point)
        return now.g, now.d

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v + α (v − v before)."""
        now, before = field(reach.start), Point(*state)
        return now + self.weight * (now - before), (now.g, now.d)
