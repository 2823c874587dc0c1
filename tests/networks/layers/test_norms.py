"""Norms by name, and the norm with gains per class."""

import pytest
import torch

from steadygan.networks.layers import ClassNorm, norm_1d, norm_2d
from steadygan.networks.layers.norms import absorbs_bias

AXES = {"batch": (0, 2, 3), "instance": (2, 3), "layer": (1, 2, 3)}


@pytest.mark.parametrize(("kind", "axes"), AXES.items())
def test_each_image_norm_averages_over_its_own_axes(kind: str, axes: tuple[int, ...]) -> None:
    h = 3 + 2 * torch.randn(4, 5, 6, 6, dtype=torch.float64)
    mean, variance = h.mean(axes, keepdim=True), h.var(axes, unbiased=False, keepdim=True)
    expected = (h - mean) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(norm_2d(kind, 5).double()(h), expected)


@pytest.mark.parametrize("kind", ["none", "spectral"])
def test_no_norm_returns_the_very_tensor(kind: str) -> None:
    h = torch.randn(2, 3, 4, 4)
    assert norm_2d(kind, 3)(h) is h
    assert norm_1d(kind, 3)(h) is h


@pytest.mark.parametrize("kind", ["batch", "instance", "layer", "none"])
def test_a_bias_is_absorbed_exactly_where_we_drop_it(kind: str) -> None:
    h = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    norm = norm_2d(kind, 3).double()
    bias = torch.tensor([1.0, -2.0, 3.0]).view(3, 1, 1)
    assert torch.allclose(norm(h), norm(h + bias)) is absorbs_bias(kind)


@pytest.mark.parametrize("kind", ["batch", "instance", "layer", "none"])
def test_gain_and_offset_are_those_of_the_label(kind: str) -> None:
    layer = ClassNorm(kind, 3, 4).double()
    h, y = torch.randn(5, 3, 4, 4, dtype=torch.float64), torch.tensor([0, 3, 1, 1, 2])
    with torch.no_grad():
        layer.offset.weight.normal_()
    bare = norm_2d(kind, 3, affine=False).double()(h)
    for i, label in enumerate(y):
        gain, offset = layer.gain.weight[label], layer.offset.weight[label]
        expected = bare[i] * gain[:, None, None] + offset[:, None, None]
        torch.testing.assert_close(layer(h, y)[i], expected)


def test_class_gains_start_near_one_and_offsets_at_zero() -> None:
    layer = ClassNorm("batch", 64, 10)
    assert 0.8 < layer.gain.weight.min().item() < layer.gain.weight.max().item() < 1.2
    assert not layer.offset.weight.any()
