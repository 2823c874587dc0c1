"""Past extragradient: the look-ahead reuses the last gradient instead of asking for one."""

import torch

from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.point import Point, State
from steadygan.updates.reach import Reach


class PastExtragradient(Directed):
    """Extragradient whose look-ahead follows the gradients of the step before.

    w̄_t = w_t − η v(w̄_{t−1}),   w_{t+1} = w_t − η v(w̄_t)

    With plain descent its points w̄ are exactly those of ``Optimistic``; around other optimizers the two differ: here
    the look-ahead is the optimizer's own step, which leaves no trace. The first look-ahead stays in place.
    Cost: 1 field evaluation, 2 gradients, and one copy of the gradients kept.

    Args:
        g, d: the players' optimizers.

    Source: Popov (1980); for GANs Gidel et al. (2019), arXiv 1802.10551, eqs. 17 and 18 and algorithm 5, with the
    difference named under ``Extragradient``.
    """

    gradients_per_step = 2.0

    def begin(self, field: Field, point: Point) -> State:
        """No gradient yet."""
        return torch.zeros_like(point.g.detach()), torch.zeros_like(point.d.detach())

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v(w̄)."""
        ahead = field(reach.ahead(Point(*state)))
        return ahead, (ahead.g, ahead.d)
