"""Distances in blocks agree with the definition, however the points lie."""

import numpy as np
import pytest
import torch
from torch import Tensor

from steadygan.metrics import distances
from steadygan.metrics.distances import (
    distance_blocks,
    mean_between,
    mean_within,
    neighbour_radius,
)


def slow(a: Tensor, b: Tensor) -> np.ndarray:
    """One pair at a time."""
    return np.array([[float((x - y).square().sum().sqrt()) for y in b] for x in a])


def blocks(a: Tensor, b: Tensor) -> Tensor:
    parts = list(distance_blocks(a, b))
    assert [which.stop - which.start for which, _ in parts] == [len(block) for _, block in parts]
    return torch.cat([block for _, block in parts])


@pytest.fixture(params=[2, 64, 65, 200], ids=lambda d: f"{d}d")
def pair(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor]:
    a = torch.randn(23, request.param, dtype=torch.float64)
    return a, torch.randn(17, request.param, dtype=torch.float64)


def test_all_pairs(pair: tuple[Tensor, Tensor]) -> None:
    np.testing.assert_allclose(blocks(*pair), slow(*pair), rtol=1e-12)


def test_small_blocks_give_the_same(
    pair: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = blocks(*pair)
    monkeypatch.setattr(distances, "_BLOCK", 40)
    assert len(list(distance_blocks(*pair))) > 5
    torch.testing.assert_close(blocks(*pair), whole, rtol=1e-12, atol=0)


def test_points_that_nearly_coincide_far_from_the_origin(pair: tuple[Tensor, Tensor]) -> None:
    """‖a‖² + ‖b‖² − 2ab would have no digit left here."""
    a = pair[0] + 1e4
    b = torch.cat([a[:5] + 1e-6, pair[1] * 1e3])
    np.testing.assert_allclose(blocks(a, b), slow(a, b), rtol=1e-9)
    assert blocks(a, a).diagonal().abs().max() == 0


def test_means(pair: tuple[Tensor, Tensor]) -> None:
    a, b = pair
    n = len(a)
    assert float(mean_between(a, b)) == pytest.approx(slow(a, b).mean(), rel=1e-12)
    assert float(mean_within(a)) == pytest.approx(slow(a, a).sum() / (n * (n - 1)), rel=1e-12)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_neighbour_radius(pair: tuple[Tensor, Tensor], k: int) -> None:
    a = pair[0]
    ordered = np.sort(slow(a, a), axis=1)
    np.testing.assert_allclose(neighbour_radius(a, k), ordered[:, k], rtol=1e-12)


def test_a_twin_is_a_neighbour_and_oneself_is_not() -> None:
    a = torch.tensor([[0.0], [0.0], [1.0], [5.0]], dtype=torch.float64)
    assert neighbour_radius(a, 1).tolist() == [0.0, 0.0, 1.0, 4.0]
