"""The first layer of an image generator: from a vector to a 4x4 map."""

from jaxtyping import Float
from torch import Tensor, nn

SIDE = 4


class Seed(nn.Module):
    """A vector projected to a 4x4 feature map.

    The same function as a 4x4 transposed convolution of a 1x1 image, but as one matrix product
    whose result already lies channels-last: what follows runs in that layout without a copy.

    Args:
        features: size of the vector.
        channels: of the map.
        bias: whether each channel at each position has an offset of its own.

    Shape: (b, features) -> (b, channels, 4, 4).

    Source: Radford, Metz, Chintala (2016), arXiv 1511.06434, figure 1.
    """

    def __init__(self, features: int, channels: int, *, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(features, SIDE * SIDE * channels, bias=bias)

    def forward(self, z: Float[Tensor, "b features"]) -> Float[Tensor, "b channels 4 4"]:
        """Project, then read the result as height, width, channels."""
        h: Tensor = self.linear(z)
        return h.view(h.shape[0], SIDE, SIDE, -1).permute(0, 3, 1, 2)
