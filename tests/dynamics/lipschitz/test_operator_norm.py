"""Operator norms against matrices written out one unit vector at a time."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steadygan.dynamics.lipschitz import operator_norm as module
from steadygan.dynamics.lipschitz.linear_map import LinearMap, identity
from steadygan.dynamics.lipschitz.operator_norm import operator_norm
from steadygan.dynamics.lipschitz.upper import upper_bound

LAYERS = {
    "conv": nn.Conv2d(3, 4, 3),
    "stride, padding": nn.Conv2d(3, 5, 4, stride=2, padding=1),
    "dilation": nn.Conv2d(2, 3, 3, dilation=2, padding=2),
    "groups": nn.Conv2d(4, 6, 3, groups=2, padding=1),
    "circular": nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"),
    "reflect": nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"),
    "uneven stride": nn.Conv2d(3, 2, (3, 2), stride=(3, 1)),
    "transposed": nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1),
    "linear": nn.Linear(7, 5),
    "pooled": nn.AvgPool2d(3, stride=2, padding=1),
    "upsampled": nn.Upsample(scale_factor=2, mode="bilinear"),
    "one dimension": nn.Conv1d(3, 4, 5, stride=2),
    "three dimensions": nn.Conv3d(2, 2, 2),
}


def event(layer: nn.Module) -> tuple[int, ...]:
    if isinstance(layer, nn.Linear):
        return (7,)
    channels = getattr(layer, "in_channels", 2)
    return {nn.Conv1d: (channels, 11), nn.Conv3d: (channels, 4, 4, 3)}.get(
        type(layer), (channels, 7, 6)
    )


def slow_matrix(layer: nn.Module, shape: tuple[int, ...]) -> np.ndarray:
    layer = layer.double()
    origin = layer(torch.zeros(1, *shape, dtype=torch.float64))
    columns = []
    for index in range(int(np.prod(shape))):
        unit = torch.zeros(int(np.prod(shape)), dtype=torch.float64)
        unit[index] = 1
        columns.append((layer(unit.view(1, *shape)) - origin).detach().flatten().numpy())
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("lanczos", [False, True])
def test_a_layers_norm_is_that_of_its_matrix(
    name: str, lanczos: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lanczos:
        monkeypatch.setattr(module, "_DENSE_SIDE", 0)
    layer = LAYERS[name]
    shape = event(layer)
    truth = np.linalg.norm(slow_matrix(layer, shape), 2)
    found = upper_bound(layer, torch.zeros(1, *shape))
    assert truth * (1 - 1e-12) <= found.value <= truth * (1.03 if lanczos else 1 + 1e-6)
    if found.layers:
        assert found.layers[0].norm == pytest.approx(truth, rel=1e-5)
        assert found.layers[0].shapes[0] == shape


def test_a_large_convolution_is_enclosed() -> None:
    layer = nn.Conv2d(8, 12, 3, padding=1, bias=False)
    found = upper_bound(layer, torch.zeros(1, 8, 12, 12))
    truth = np.linalg.norm(slow_matrix(layer, (8, 12, 12)), 2)
    (row,) = found.layers
    assert row.norm <= truth * (1 + 1e-9) <= row.bound <= 1.02 * truth
    assert row.norm == pytest.approx(truth, rel=1e-4)


def test_circular_convolution_by_fourier_transform() -> None:
    """The slow truth of Sedghi et al. (2019), arXiv 1805.10408, theorem 6: svd at each frequency."""
    layer = nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular", bias=False).double()
    kernel = torch.zeros(4, 3, 8, 8, dtype=torch.float64)
    kernel[:, :, :3, :3] = layer.weight.detach()
    spectrum = torch.fft.fft2(kernel).permute(2, 3, 0, 1)
    truth = float(torch.linalg.svdvals(spectrum).max())
    assert upper_bound(layer, torch.zeros(1, 3, 8, 8)).value == pytest.approx(truth, rel=1e-8)


def test_the_matrix_that_spectral_norm_sees_is_not_the_operator() -> None:
    layer = nn.Conv2d(2, 3, 3, padding=1)
    (row,) = upper_bound(layer, torch.zeros(1, 2, 9, 9)).layers
    reshaped = np.linalg.norm(layer.weight.detach().numpy().reshape(3, -1), 2)
    assert row.matrix_norm == pytest.approx(reshaped, rel=1e-6)
    assert row.norm > 1.05 * reshaped


def test_zero_and_rank_one_operators() -> None:
    shape = torch.Size([1, 600])

    def make(matrix: Tensor) -> LinearMap:
        return LinearMap(
            shape, shape, (identity(shape),), lambda xs: xs[0] @ matrix, str(float(matrix[0, 1]))
        )

    assert operator_norm(make(torch.zeros(600, 600, dtype=torch.float64))).bound == 0
    u = torch.randn(600, 1, dtype=torch.float64)
    rank_one = operator_norm(make(u @ u.T))
    assert rank_one.exact
    assert rank_one.bound == pytest.approx(float(u.square().sum()), rel=1e-8)


def test_the_bound_covers_a_spectrum_without_a_gap() -> None:
    """Eigenvalues crowded below the largest are the hard case of every iteration."""
    shape = torch.Size([1, 3000])
    diagonal = torch.linspace(0.9, 1.0, 3000, dtype=torch.float64)
    crowded = LinearMap(shape, shape, (identity(shape),), lambda xs: xs[0] * diagonal, "crowded")
    for steps in (8, 20, 96):
        found = operator_norm(crowded, steps=steps)
        assert found.estimate <= 1 <= found.bound
