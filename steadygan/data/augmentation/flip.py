"""Mirror images left to right."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.errors import ConfigError


@dataclass(frozen=True)
class HorizontalFlip(Augmentation):
    """Mirror each image left to right with a given probability.

    Use it where left and right mean the same (faces, landscapes); not on digits, letters or text.
    Cost: one copy of the batch.

    Args:
        p: probability in [0, 1]; 0.5 doubles the data.

    Raises:
        ConfigError: if p is no probability.
    """

    p: float = 0.5

    num_random: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not 0 <= self.p <= 1:
            raise ConfigError(
                f"HorizontalFlip.p must be in [0, 1], got {self.p}; 0.5 mirrors every second image."
            )

    def __call__(
        self, x: Float[Tensor, "b c h w"], u: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b c h w"]:
        """Mirrored where u < p."""
        mirrored = u[:, 0] < self.p
        return torch.where(mirrored[:, None, None, None], x.flip(-1), x)
