"""The path of one player's weights: does a step go on where the last ones went?"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.probes.thinned import Thinned, cosine


class Path:
    """Compares a traced step with where the weights have gone since the traced step before.

    c = ⟨w' − w, w − v⟩ / (‖w' − w‖·‖w − v‖)       v: weights after the last traced step, w, w': around this one

    1 on a straight line, cos((k + 1)·φ/2) on a circle on which each of the k steps in between and this one turn by
    φ, −1 on a zigzag with k odd, about 0 for a random walk. Below 0 a player comes back to where it was: it
    orbits, or its steps overshoot. A minibatch's noise is in the step and averaged out of the way behind it, so that a
    training that goes straight has values below 1; momentum raises them. All weights that the step moves count,
    of large tensors a part (see ``thinned``). Cost: a copy of these weights, kept
    between traces, and three reads of them a trace.

    Of several steps of a player in one traced iteration the first is compared, and the last is where the next way
    begins.

    Source: the angle between a game's step and a path is that of Berard et al. (2020), arXiv 1906.04848,
    eq. 7; they look along the straight line between two points of a training, which takes a gradient at each
    point of it, we along the way that the training itself took.
    """

    def __init__(self) -> None:
        self._since: list[Thinned] = []
        self._of: Sequence[int] = ()
        self._iteration: int | None = None
        self._way: list[Thinned] = []

    def before(self, weights: Sequence[Thinned], of: Sequence[int], iteration: int) -> None:
        """Note the way to here, before a traced step.

        Args:
            weights: copies; not changed.
            of: the parameters' ids: other ones than at the last trace, and there is no way between.
            iteration: the training's.
        """
        since, self._since, self._way = self._since, [], []
        is_same = self._of == of and all(
            a.layout == b.layout for a, b in zip(since, weights, strict=False)
        )
        if since and is_same and self._iteration != iteration:
            # In place: the copy has served.
            torch._foreach_sub_([w.values for w in since], [w.values for w in weights])
            self._way = since
        self._of, self._iteration = of, iteration

    def after(
        self, step: Sequence[Thinned], weights: Sequence[Thinned]
    ) -> Float[Tensor, ""] | None:
        """The cosine, after a traced step; None without a way to compare with.

        Args:
            step: weights before less those after.
            weights: after it.
        """
        way, self._way = self._way, []
        self._since = [part.copied() for part in weights]
        # Both point backwards, so that the sign is right.
        return cosine(step, way) if way else None
