"""The samples themselves as features."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from steadygan.evaluation.maps.sample_map import SampleMap
from steadygan.types import Samples


class Pixels(SampleMap):
    """φ(x) = x, flattened: pixels in [-1, 1], points in their own units.

    For points, small images, and copies of training samples. Distances between pixels say little about
    larger images: a shift by one pixel is far, a blur is near. Cost: none.

    Shape: (b, *event) -> (b, f).
    """

    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """Flattened."""
        return x.flatten(1)

    def describe(self) -> dict[str, Any]:
        """Only its name."""
        return {"name": "pixels"}
