"""The residual pair: structure, initial scale and refusals."""

import inspect

import pytest
import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.networks import resnet
from steadygan.networks.layers import ClassNorm, DownBlock, UpBlock

# The test run type-checks arguments at the door; users get our messages instead, tested here.
unchecked = inspect.unwrap(resnet)


@pytest.mark.parametrize(("size", "num_steps"), [(8, 1), (32, 3), (128, 5)])
def test_one_block_for_each_doubling_and_a_last_one_in_d(size: int, num_steps: int) -> None:
    g, d = resnet(5, size, 3, width=2)
    assert sum(isinstance(m, UpBlock) for m in g.modules()) == num_steps
    assert [m.halve for m in d.modules() if isinstance(m, DownBlock)] == [True] * num_steps + [
        False
    ]


def test_every_weight_of_d_is_spectrally_normalised_by_default() -> None:
    torch.manual_seed(0)
    _, d = resnet(5, 16, 3, width=4, classes=3, attention=[8])
    for _ in range(200):
        d(torch.randn(1, 3, 16, 16), torch.zeros(1, dtype=torch.long))
    weighted = (nn.Linear, nn.Conv2d, nn.Embedding)
    layers = [m for m in d.modules() if isinstance(m, weighted)]
    assert len(layers) == 3 * 2 + 2 + 4 + 2  # blocks, shortcuts, attention, head and projection
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        assert largest.item() == pytest.approx(1.0, abs=1e-2)


def test_labels_enter_g_through_every_norm_of_its_blocks() -> None:
    g, _ = resnet(5, 16, 3, width=2, classes=3)
    assert sum(isinstance(m, ClassNorm) for m in g.modules()) == 4


def test_d_sums_over_space_under_spectral_norm_and_averages_otherwise() -> None:
    torch.manual_seed(0)
    for norm, factor in (("spectral", 16.0), ("none", 1.0)):
        _, d = resnet(5, 16, 3, width=4, d_norm=norm)
        d.eval()
        x = torch.randn(2, 3, 16, 16)
        features = torch.relu(d.body(x)).mean(dim=(2, 3)) * factor
        torch.testing.assert_close(d(x), d.last(features).squeeze(1))


@pytest.mark.parametrize("size", [16, 128])
def test_without_norms_the_initial_scale_does_not_depend_on_depth(size: int) -> None:
    torch.manual_seed(0)
    g, d = resnet(16, size, 3, width=8, g_norm="none", d_norm="none", output="linear")
    x = g(torch.randn(16, 16))
    assert 0.2 < x.square().mean().sqrt().item() < 3
    assert d(torch.randn_like(x)).abs().max().item() < 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 20}, r"resnet\.size must be a power of two .* data\.size=16 or 32\."),
        ({"latent": 0}, r"resnet\.latent must be >= 1, got 0"),
        ({"g_norm": "spectral"}, r"unknown resnet\.g_norm 'spectral'"),
        ({"attention": [4]}, r"resnet\.attention .* \(8, 16, 32\), got 4"),
        ({"size": 8, "attention": [8]}, r"\(none at this size\), got 8"),
    ],
)
def test_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        unchecked(**{"latent": 4, "size": 64, "channels": 3, **settings})
