"""The plain convolutional pair: structure, initial weights and refusals."""

import inspect

import pytest
import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.networks import dcgan
from steadygan.networks.layers import SelfAttention

# The test run type-checks arguments at the door; users get our messages instead, tested here.
unchecked = inspect.unwrap(dcgan)


def convolutions(network: nn.Module) -> list[tuple[int, int]]:
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    return [(m.in_channels, m.out_channels) for m in network.modules() if isinstance(m, kinds)]


def test_channels_double_with_each_halving_up_to_eight_widths() -> None:
    g, d = dcgan(5, 128, 3, width=2)
    assert convolutions(g) == [(16, 16), (16, 8), (8, 4), (4, 2), (2, 3)]
    assert convolutions(d) == [(3, 2), (2, 4), (4, 8), (8, 16), (16, 16), (16, 1)]


def test_norms_spare_the_image_and_the_logit() -> None:
    g, d = dcgan(5, 32, 3, width=2, g_norm="batch", d_norm="batch")
    assert sum(isinstance(m, nn.BatchNorm2d) for m in g.modules()) == 3
    assert sum(isinstance(m, nn.BatchNorm2d) for m in d.modules()) == 2
    assert not isinstance(d.body[1], nn.BatchNorm2d)


def test_weights_start_as_in_the_paper_under_a_norm() -> None:
    torch.manual_seed(0)
    for network in dcgan(100, 32, 3, width=16, d_norm="batch"):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.15)
            elif isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("width", [4, 32])
def test_without_norms_the_initial_scale_does_not_depend_on_width(width: int) -> None:
    torch.manual_seed(0)
    g, d = dcgan(64, 32, 3, width=width, g_norm="none", output="linear")
    x = g(torch.randn(64, 64))
    assert 0.4 < x.square().mean().sqrt().item() < 1.8
    assert 0.02 < d(torch.randn_like(x)).std().item() < 3


def test_attention_sits_at_the_resolutions_asked_for() -> None:
    g, d = dcgan(5, 32, 3, width=8, attention=[8, 16])
    seen: list[int] = []
    for layer in (*g.modules(), *d.modules()):
        if isinstance(layer, SelfAttention):
            layer.register_forward_hook(lambda _, given, __: seen.append(given[0].shape[-1]))
    d(g(torch.randn(2, 5)))
    assert seen == [8, 16, 16, 8]


def test_at_size_8_no_batch_norm_exists_in_d_and_it_says_so() -> None:
    assert dcgan(5, 8, 3, width=2, d_norm="batch").d.per_sample
    assert not dcgan(5, 16, 3, width=2, d_norm="batch").d.per_sample


def test_refuses_a_size_that_cannot_be_halved() -> None:
    with pytest.raises(ConfigError) as error:
        dcgan(5, 48, 3)
    assert str(error.value) == (
        "dcgan.size must be a power of two from 8 to 128, got 48; "
        "resize the data with data.size=32 or 64."
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 4}, r"got 4; resize the data with data\.size=8 or 16\."),
        ({"size": 256}, r"got 256; resize the data with data\.size=64 or 128\."),
        ({"channels": 0}, r"dcgan\.channels must be >= 1, got 0"),
        ({"width": -2}, r"dcgan\.width must be >= 1, got -2"),
        ({"d_dropout": float("nan")}, r"dcgan\.d_dropout must be in \[0, 1\), got nan"),
        ({"d_norm": "spectal"}, r"unknown dcgan\.d_norm 'spectal'; did you mean 'spectral'"),
        ({"attention": [64]}, r"dcgan\.attention .* \(4, 8, 16, 32\), got 64"),
        ({"attention": [12]}, r"got 12; drop it or choose one of these"),
    ],
)
def test_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        unchecked(**{"latent": 4, "size": 64, "channels": 3, **settings})
