"""An average of G over the probes: what to sample from where the live generator is worse."""

import math

from torch import nn

from steadygan.errors import ActionError
from steadygan.remedies.knobs.average import Average
from steadygan.types import StateDict

_HALF_LIFE = 20.0  # probes, at most


class Understudy:
    """Follows G from probe to probe, with the last tenth or so of the way behind it; the training never sees it.

    w̄ ← w̄ + (1 − β)(w − w̄) at each probe,   β = min(2^(−1/20), (1 + t) / (10 + t))   after t probes

    It costs one pass over G's weights a probe, and one copy of G. A G that cannot be copied has none.

    Args:
        network: G, inside of its wrappers.

    Source: Izmailov et al. (2018), arXiv 1803.05407: points far apart on the way are worth averaging; a span that
    grows with the way: Karras et al. (2024), arXiv 2312.02696, section 3.1.
    """

    def __init__(self, network: nn.Module) -> None:
        self._average = Average(network)
        self._num = 0

    @property
    def generator(self) -> nn.Module | None:
        """The averaged copy; None before the first probe."""
        return self._average.generator

    @property
    def half_life(self) -> float:
        """Probes after which a weight's influence has halved, by now."""
        return min(_HALF_LIFE, math.log(0.5) / math.log((1 + self._num) / (10 + self._num)))

    def begin(self) -> None:
        """Anew at the next probe, with nothing behind it."""
        self._average.close()
        self._num = 0

    def follow(self) -> None:
        """Look at G, after a probe."""
        if not self._num:  # only now: layers may have been set up by their first input
            try:
                self._average.set(_HALF_LIFE)
            except ActionError:  # then the live one is all there is
                return
        self._average.follow()
        self._num += 1

    def state_dict(self) -> StateDict:
        """The average, and how much is behind it."""
        return {"num": self._num, "average": self._average.state_dict()}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._num = int(state["num"])
        self._average.load_state_dict(state["average"])
