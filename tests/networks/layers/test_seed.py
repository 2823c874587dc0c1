"""The seed is a transposed convolution of a 1x1 image, laid out channels-last."""

import torch
from torch.nn import functional

from steadygan.networks.layers import Seed


def test_equals_the_transposed_convolution() -> None:
    layer, z = Seed(5, 7).double(), torch.randn(3, 5, dtype=torch.float64)
    kernel = layer.linear.weight.T.view(5, 4, 4, 7).permute(0, 3, 1, 2)
    offset = layer.linear.bias.view(4, 4, 7).permute(2, 0, 1)
    expected = functional.conv_transpose2d(z[:, :, None, None], kernel) + offset
    torch.testing.assert_close(layer(z), expected)


def test_lies_channels_last_without_a_copy() -> None:
    assert Seed(5, 7)(torch.randn(3, 5)).is_contiguous(memory_format=torch.channels_last)
