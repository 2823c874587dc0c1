"""The DCGAN generator's first layer as the tutorial writes it: a transposed convolution of a 1x1 image."""

import copy

import torch
from torch import Tensor, nn

from steadygan.networks.layers.seed import SIDE, Seed


class StockSeed(nn.Module):
    """The same function and weights as ``Seed``, as a layer of ``torch.nn``."""

    def __init__(self, seed: Seed) -> None:
        super().__init__()
        features = seed.linear.in_features
        channels = seed.linear.out_features // SIDE**2
        self.convolution = nn.ConvTranspose2d(features, channels, SIDE, bias=False)
        with torch.no_grad():
            weight = seed.linear.weight.view(SIDE, SIDE, channels, features)
            self.convolution.weight.copy_(weight.permute(3, 2, 0, 1))

    def forward(self, z: Tensor) -> Tensor:
        """From vectors to 4x4 maps."""
        h: Tensor = self.convolution(z[:, :, None, None])
        return h


def with_stock_seed(g: nn.Module) -> nn.Module:
    """A copy of our DCGAN generator that starts like the tutorial's."""
    stock = copy.deepcopy(g)
    body = stock.get_submodule("body")
    assert isinstance(body, nn.Sequential)
    first = body[0]
    assert isinstance(first, Seed)
    body[0] = StockSeed(first)
    return stock
