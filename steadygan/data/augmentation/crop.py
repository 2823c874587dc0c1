"""Shift images by whole pixels."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.errors import ConfigError


@dataclass(frozen=True)
class RandomCrop(Augmentation):
    """Pad each image on all sides and cut a window of the old size out at random.

    The shift is uniform over -pad..pad in both directions. The padding repeats the edge pixels: no
    value comes in that the image did not have.

    Use it where objects have no fixed place; not on aligned faces. Cost: one gather of the batch.

    Args:
        pad: padding on each side, >= 0 [pixels]; 0 changes nothing.

    Raises:
        ConfigError: if pad is negative.
    """

    pad: int = 4

    num_random: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Refuse a negative padding."""
        if self.pad < 0:
            raise ConfigError(f"RandomCrop.pad must be >= 0, got {self.pad}; 0 switches it off.")

    def __call__(
        self, x: Float[Tensor, "b c h w"], u: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b c h w"]:
        """Shifted by floor(u·(2·pad + 1)) - pad pixels down and right."""
        b, c, h, w = x.shape
        # u just below 1 can round up to a shift of pad + 1.
        shift = (u * (2 * self.pad + 1)).long().clamp_(max=2 * self.pad) - self.pad
        rows = (torch.arange(h) + shift[:, :1]).clamp_(0, h - 1)
        columns = (torch.arange(w) + shift[:, 1:]).clamp_(0, w - 1)
        moved = x.gather(2, rows[:, None, :, None].expand(b, c, h, w))
        return moved.gather(3, columns[:, None, None, :].expand(b, c, h, w))
