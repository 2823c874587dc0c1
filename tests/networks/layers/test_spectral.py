"""Spectral norm of a whole network."""

import torch
from torch import nn

from steadygan.networks.layers import spectral_norm_


def test_every_kind_of_weight_ends_with_largest_singular_value_one() -> None:
    torch.manual_seed(0)
    network = nn.ModuleList(
        [nn.Linear(4, 6), nn.Conv2d(2, 5, 3), nn.ConvTranspose2d(2, 5, 3), nn.Embedding(3, 4)]
    )
    spectral_norm_(network)
    for layer in network:
        for _ in range(200):
            weight = layer.weight  # each reading is one power iteration
        if isinstance(layer, nn.ConvTranspose2d):
            weight = weight.transpose(0, 1)
        largest = torch.linalg.matrix_norm(weight.flatten(1), ord=2)
        torch.testing.assert_close(largest, torch.ones(()), rtol=0, atol=1e-3)


def test_the_power_iteration_is_part_of_the_state_and_biases_stay_free() -> None:
    network = nn.Sequential(nn.Linear(4, 6))
    spectral_norm_(network)
    names = set(network.state_dict())
    assert names == {
        "0.bias",
        "0.parametrizations.weight.original",
        "0.parametrizations.weight.0._u",
        "0.parametrizations.weight.0._v",
    }
