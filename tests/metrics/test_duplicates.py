"""Duplicates and the birthday paradox: counted by hand, known supports, intervals, refusals."""

import math

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import duplicate_rate, support_size


def test_counted_by_hand() -> None:
    y = torch.tensor([[0.0], [0.0], [0.0], [1.0], [1.05], [9.0]])
    found = duplicate_rate(y)
    assert (float(found), found.largest_group) == (0.5, 3)
    assert float(duplicate_rate(y, within=0.06)) == pytest.approx(5 / 6)
    assert support_size(y).collisions == 3
    assert float(support_size(y)) == 15 / 3


@pytest.mark.parametrize("dims", [3, 90])
def test_against_the_slow_twin(dims: int) -> None:
    y = np.random.default_rng(0).normal(size=(60, dims))
    y[40:50] = y[:10] + 1e-3
    apart = np.array([[np.linalg.norm(a - b) for b in y] for a in y]) + np.eye(60) * 1e9
    limit = float(np.quantile(apart[apart < 1e9], 0.02))
    assert float(duplicate_rate(y, within=limit)) == np.mean(apart.min(axis=1) <= limit)
    assert support_size(y, within=limit).collisions == (apart <= limit).sum() / 2


def test_the_reals_set_the_scale() -> None:
    g = torch.Generator().manual_seed(0)
    real = torch.randn(300, 20, generator=g)
    fresh = torch.randn(300, 20, generator=g)
    assert float(duplicate_rate(fresh, real)) == 0.0
    copies = torch.cat([fresh[:200], fresh[:100] + 1e-3])
    found = duplicate_rate(copies, real)
    assert float(found) == pytest.approx(200 / 300)
    assert found.interval is not None
    assert found.interval[0] < 2 / 3 < found.interval[1]
    assert duplicate_rate(fresh, real).interval[1] > 0  # type: ignore[index]  # rule of three


def test_support_of_known_size() -> None:
    inside, values = 0, []
    for seed in range(100):
        g = torch.Generator().manual_seed(seed)
        found = support_size(torch.randint(0, 200, (150, 1), generator=g))
        values.append(found.value)
        inside += found.interval[0] <= 200 <= found.interval[1]  # type: ignore[index]  # never None
    assert inside > 86
    assert 150 < float(np.median(values)) < 260


def test_no_collision_is_no_nan() -> None:
    found = support_size(torch.randn(100, 5))
    assert found.value == math.inf
    assert found.interval is not None
    assert 1000 < found.interval[0] < 4950 / 3
    assert found.interval[1] == math.inf
    assert "at least" in found.warnings[0]
    assert found.to_json()["value"] is None


def test_uneven_support_is_effective() -> None:
    """Half of the mass on one sample: 1/Σp² is below 4, however many others there are."""
    g = torch.Generator().manual_seed(0)
    y = torch.randint(0, 10_000, (400, 1), generator=g) * (torch.rand(400, 1, generator=g) < 0.5)
    assert 3 < float(support_size(y)) < 5


def test_refuses() -> None:
    with pytest.raises(DataError, match="more than 1 points"):
        duplicate_rate(torch.randn(1, 2))
    with pytest.raises(ConfigError, match="within must be >= 0"):
        duplicate_rate(torch.randn(5, 2), within=-1)
    with pytest.raises(DataError, match="same number of features"):
        support_size(torch.randn(5, 2), torch.randn(5, 3))
