"""Where stability ends in the plane of the two learning rates, as plain data."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class StableRates:
    """The largest learning rates, at one ratio, at which small deviations do not grow.

    Attributes:
        lr_g, lr_d: both infinite where no rate is too large, both 0 where small ones are already.
    """

    lr_g: float
    lr_d: float

    @property
    def unbounded(self) -> bool:
        """No learning rate is too large."""
        return self.lr_g == float("inf")

    @property
    def none(self) -> bool:
        """However small the learning rates, they are too large."""
        return self.lr_g == 0


@dataclass(frozen=True)
class StabilityBoundary:
    """The largest stable learning rates along rays of constant ratio: inside the curve the game does not diverge.

    Attributes:
        game, rule: their names, for titles.
        ratios: lr_d / lr_g of each ray, increasing.
        lr_g, lr_d: the end of stability on each ray; inf where there is none, 0 where nothing is stable.
    """

    game: str
    rule: str
    ratios: Float64[np.ndarray, "rays"]
    lr_g: Float64[np.ndarray, "rays"]
    lr_d: Float64[np.ndarray, "rays"]
