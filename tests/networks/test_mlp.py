"""The fully connected pair: structure and refusals."""

import inspect

import pytest
import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.networks import mlp

# The test run type-checks arguments at the door; users get our messages instead, tested here.
unchecked = inspect.unwrap(mlp)


def test_depth_counts_hidden_layers_and_width_their_units() -> None:
    g, d = mlp(3, 2, width=10, depth=4)
    for network in (g, d):
        sizes = [m.out_features for m in network.modules() if isinstance(m, nn.Linear)]
        assert sizes == [10, 10, 10, 10, 2 if network is g else 1]


def test_is_the_plain_composition_of_its_layers() -> None:
    g, _ = mlp(3, (2, 2), width=8, depth=1, output="tanh")
    z = torch.randn(5, 3)
    hidden = nn.functional.leaky_relu(z @ g.body[0].weight.T + g.body[0].bias, 0.2)
    expected = torch.tanh(hidden @ g.last.weight.T + g.last.bias).view(5, 2, 2)
    torch.testing.assert_close(g(z), expected)


def test_depth_0_is_the_affine_pair_of_the_dirac_gan() -> None:
    g, d = mlp(3, 2, depth=0)
    assert [p.numel() for p in g.parameters()] == [6, 2]
    assert [p.numel() for p in d.parameters()] == [2, 1]
    conditional = mlp(3, 2, depth=0, classes=4)
    y = torch.tensor([0, 3])
    assert conditional.d(conditional.g(torch.zeros(2, 3), y), y).shape == (2,)


@pytest.mark.parametrize("depth", [1, 8])
@pytest.mark.parametrize("width", [32, 512])
def test_initial_scale_depends_on_neither_width_nor_depth(width: int, depth: int) -> None:
    torch.manual_seed(0)
    g, d = mlp(width, width, width=width, depth=depth)
    x = g(torch.randn(256, width))
    assert 0.4 < x.square().mean().sqrt().item() < 1.8
    assert d(x).abs().max().item() < 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent": 0}, r"mlp\.latent must be >= 1, got 0"),
        ({"event": (3, 0)}, r"mlp\.event must be >= 1, got 0"),
        ({"event": ()}, r"mlp\.event must be >= 1, got 0"),
        ({"width": 0}, r"mlp\.width must be >= 1, got 0"),
        ({"depth": -1}, r"mlp\.depth must be >= 0, got -1"),
        ({"classes": -1}, r"mlp\.classes must be >= 0, got -1"),
        ({"d_dropout": 1.0}, r"mlp\.d_dropout must be in \[0, 1\), got 1\.0"),
        ({"g_norm": "bach"}, r"unknown mlp\.g_norm 'bach'; did you mean 'batch'"),
        ({"g_norm": "spectral"}, r"unknown mlp\.g_norm 'spectral'.*Valid: batch, layer, none"),
        ({"output": "tanhh"}, r"unknown mlp\.output 'tanhh'; did you mean 'tanh'"),
    ],
)
def test_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        unchecked(**{"latent": 4, "event": 2, **settings})


def test_initial_scale_multiplies_the_same_draw() -> None:
    pairs = []
    for scale in (1.0, 0.5):
        torch.manual_seed(3)
        pairs.append(mlp(3, 2, width=8, initial_scale=scale))
    for one, half in zip(pairs[0].d.parameters(), pairs[1].d.parameters(), strict=True):
        torch.testing.assert_close(0.5 * one, half)
    with pytest.raises(ConfigError, match=r"mlp.initial_scale must be > 0 and finite, got -1"):
        mlp(3, 2, initial_scale=-1.0)
