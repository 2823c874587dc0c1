"""Frozen random convolutions as features."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from steadygan.evaluation.maps.sample_map import SampleMap, images_only
from steadygan.metrics import RandomConvolution
from steadygan.types import Samples


class RandomFeatures(SampleMap):
    """``metrics.RandomConvolution``: frozen orthogonal filters beside the image's coarse pixels.

    The same numbers on every machine for the same seed, without data and without a download. It sees
    texture and layout and nothing of meaning: good for watching one data set, not for ranking
    photographs by taste. Cost: 2 million multiplications an image.

    Args:
        seed: of the filters.

    Shape: (b, c, h, w) -> (b, 256 + 64·c) at 32x32.

    Raises:
        DataError: for points. ConfigError: for images below 8x8.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._made: dict[tuple[int, int], RandomConvolution] = {}

    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """The features."""
        images_only("random", x)
        shape = (x.shape[1], min(x.shape[2:]))
        if shape not in self._made:
            self._made[shape] = RandomConvolution(*shape, seed=self.seed)
        return self._made[shape](x)

    def describe(self) -> dict[str, Any]:
        """The seed."""
        return {"name": f"random:{self.seed}", "network": "RandomConvolution"}
