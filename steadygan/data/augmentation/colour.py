"""Change brightness, contrast and saturation."""

from dataclasses import dataclass, fields
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.errors import ConfigError

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class ColourJitter(Augmentation):
    """Vary brightness, contrast and saturation of each image, uniformly about what they are.

    With r uniform in [-1, 1] for each: x ← grey + (x - grey)·(1 + saturation·r₁), then x ← x·(1 +
    contrast·r₂), then x ← x + brightness·r₃, then clipped to [-1, 1]; grey is the pixel's BT.601
    luma.

    Use it where colour carries little; G learns the changed colours. Cost: a few passes over the
    batch.

    Args:
        brightness: largest shift, in [0, 1] [network scale: 1 is half the range].
        contrast: largest relative change about mid-grey, in [0, 1].
        saturation: largest relative change about the pixel's grey, in [0, 1]; nothing on grey
            images.

    Raises:
        ConfigError: if a strength is out of range.

    Source: the colour operations of Zhao, Liu, Lin, Zhu, Han (2020), arXiv 2006.10738, there
    applied to what D sees. Differs in that contrast turns about mid-grey, not the image's mean,
    which keeps it a function of the pixel.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2

    num_random: ClassVar[int] = 3

    def __post_init__(self) -> None:
        """Refuse strengths out of range."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 <= value <= 1:
                raise ConfigError(
                    f"ColourJitter.{setting.name} must be in [0, 1], got {value}; 0 switches it "
                    "off."
                )

    def __call__(
        self, x: Float[Tensor, "b c h w"], u: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b c h w"]:
        """Saturation, contrast, brightness, in this order."""
        r = (2 * u - 1)[:, :, None, None, None]
        if x.shape[1] == len(_LUMA) and self.saturation:
            red, green, blue = x[:, :1], x[:, 1:2], x[:, 2:]
            grey = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
            x = grey + (x - grey) * (1 + self.saturation * r[:, 0])
        x = x * (1 + self.contrast * r[:, 1])
        return (x + self.brightness * r[:, 2]).clamp_(-1, 1)
