"""Extragradient: look one step ahead, then move from here by the gradients found there."""

from torch.optim import Optimizer

from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class Extragradient(Directed):
    """Both players move by the gradients at the point that a first step would lead to.

    w̄ = w − η v(w),   w ← w − η v(w̄),   w = (θ, φ), v = (∇_θ L_g, ∇_φ L_d)

    Damps rotation: on a bilinear game with eigenvalue s it converges while η² s² < 1, at
    |λ|² = 1 − η²s² + η⁴s⁴, where simultaneous steps diverge at every rate. Not worth twice the gradients where
    penalties damp the game already.
    Around any optimizer: the look-ahead is the optimizer's own step, from which weights, moments and buffers come
    back bit for bit; constraints are imposed at both points. Cost: 2 field evaluations, 4 gradients.

    Args:
        g, d: the players' optimizers.
        share_batch: both evaluations use one batch. With two independent ones the noise of the look-ahead does not
            cancel, and the method can diverge even on bilinear games (Mishchenko et al. 2020, arXiv 1905.11373).

    Source: Korpelevich (1976); for GANs Gidel et al. (2019), arXiv 1802.10551, eq. 15 and algorithm 4. There Adam's
    moments take in the look-ahead's gradient too, and both evaluations draw a batch; here the moments see only the
    gradients that move the weights.
    """

    gradients_per_step = 4.0

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        share_batch: bool = True,
    ) -> None:
        super().__init__(g, d)
        self.fresh_batches = not share_batch

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v(w̄)."""
        return field(reach.ahead(field(reach.start))), ()
