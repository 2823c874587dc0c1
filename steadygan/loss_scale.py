"""Dynamic loss scaling for float16: one scale per player, grown while gradients are finite, cut when not."""

from collections.abc import Sequence

import torch
from torch import Tensor

from steadygan.types import StateDict


class LossScale:
    """The factor that lifts a loss above float16's underflow, and its adaptation.

    Each player has its own: D's penalties and G's tiny gradients need different factors.

    Args:
        scale: first factor.
        growth_every: double after this many finite steps in a row.
        minimum: below this factor an infinite gradient is no overflow of the scale but a real failure.
    """

    def __init__(
        self, scale: float = 2.0**16, growth_every: int = 2000, minimum: float = 1.0
    ) -> None:
        self.scale = scale
        self.growth_every = growth_every
        self.minimum = minimum
        self._clean_steps = 0

    def up(self, loss: Tensor) -> Tensor:
        """The scaled loss."""
        return loss * self.scale

    def down_(self, grads: Sequence[Tensor]) -> None:
        """Undo the scale in the gradients, in place."""
        torch._foreach_div_(list(grads), self.scale)

    def forgives(self, finite: bool) -> bool:
        """Adapt to one step's outcome; True where a non-finite gradient only means that the scale was too high."""
        if finite:
            self._clean_steps += 1
            if self._clean_steps >= self.growth_every:
                self.scale *= 2
                self._clean_steps = 0
            return False
        self._clean_steps = 0
        self.scale /= 2
        return self.scale >= self.minimum

    def state_dict(self) -> StateDict:
        """The factor and the count of clean steps."""
        return {"scale": self.scale, "clean_steps": self._clean_steps}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.scale = float(state["scale"])
        self._clean_steps = int(state["clean_steps"])
