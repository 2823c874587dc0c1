"""Turn images about their centre."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.errors import ConfigError


@dataclass(frozen=True)
class Rotation(Augmentation):
    """Turn each image about its centre by a random angle, uniform in [-degrees, degrees].

    Bilinear between pixels; beyond the border the edge pixels are repeated. It blurs a little, and
    G learns that blur: use small angles, and only where data is scarce. Cost: one bilinear gather
    of the batch.

    Args:
        degrees: largest angle, in [0, 180].

    Raises:
        ConfigError: if degrees is out of range.
    """

    degrees: float = 10.0

    num_random: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse angles out of range."""
        if not 0 <= self.degrees <= 180:
            raise ConfigError(
                f"Rotation.degrees must be in [0, 180], got {self.degrees}; 0 switches it off."
            )

    def __call__(
        self, x: Float[Tensor, "b c h w"], u: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b c h w"]:
        """Turned by (2u - 1)·degrees, counter-clockwise."""
        h, w = x.shape[2:]
        angle = ((2 * u - 1) * math.radians(self.degrees))[:, :, None]
        down = (torch.arange(h) - (h - 1) / 2)[None, :, None]
        right = (torch.arange(w) - (w - 1) / 2)[None, None, :]
        # Where each output pixel comes from, in pixels from the centre; then in units of half the
        # image.
        source_x = angle.cos() * right - angle.sin() * down
        source_y = angle.sin() * right + angle.cos() * down
        grid = torch.stack([source_x * (2 / w), source_y * (2 / h)], dim=-1)
        turned = grid_sample(x, grid, "bilinear", "border", align_corners=False)
        return turned.clamp_(-1, 1)  # interpolation may round past the range's ends
