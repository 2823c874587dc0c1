"""Initial weights keep the scale they promise."""

import pytest
import torch
from torch import nn

from steadygan.networks.layers import glorot_uniform_, he_normal_
from steadygan.networks.layers.initialisation import fan_in


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(64, 512), nn.Conv2d(16, 64, 4, 2, 1), nn.ConvTranspose2d(64, 64, 4, 2, 1)],
    ids=["linear", "conv", "transposed"],
)
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_he_keeps_the_mean_square_through_layer_and_rectifier(
    layer: nn.Module, slope: float
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(layer, nn.LeakyReLU(slope))
    he_normal_(network, slope)
    h = torch.randn(64, 64) if isinstance(layer, nn.Linear) else torch.randn(8, fan(layer), 32, 32)
    out = network(h)
    inside = out if out.dim() == 2 else out[:, :, 1:-1, 1:-1]  # borders see padding
    assert inside.square().mean().item() == pytest.approx(1.0, rel=0.1)


def fan(layer: nn.Module) -> int:
    return layer.weight.shape[0 if isinstance(layer, nn.ConvTranspose2d) else 1]


def test_the_last_layer_keeps_the_variance_without_a_rectifier() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(256, 256)
    he_normal_(layer, 0.0, layer)
    assert layer(torch.randn(64, 256)).var().item() == pytest.approx(1.0, rel=0.1)


def test_fan_in_counts_the_taps_that_meet_an_input() -> None:
    layer = nn.ConvTranspose2d(3, 1, 4, 2, 1, bias=False)
    nn.init.ones_(layer.weight)
    assert layer(torch.ones(1, 3, 8, 8))[0, 0, 4, 4].item() == fan_in(layer)


def test_glorot_variance_and_gain() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 32, 3)
    glorot_uniform_(layer, gain=2.0)
    assert layer.weight.var().item() == pytest.approx(4 * 2 / (16 * 9 + 32 * 9), rel=0.1)
    assert not layer.bias.any()
