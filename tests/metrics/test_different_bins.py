"""Statistically different bins: level under the null, a dropped mode, identical sets, refusals."""

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import different_bins


def draw(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


def test_equal_distributions_give_the_significance() -> None:
    found = [different_bins(draw(800, 2 * s), draw(1600, 2 * s + 1), bins=20) for s in range(60)]
    values = np.array([float(one) for one in found])
    assert values.mean() == pytest.approx(0.05, abs=4 * values.std() / 60**0.5 + 0.005)
    assert max(one.divergence for one in found) < 0.05


def test_a_dropped_part_is_found() -> None:
    real, fake = draw(4000, 0), draw(4000, 1)
    fake = fake[fake[:, 0] < 0.5]
    found = different_bins(fake, real, bins=40)
    assert float(found) > 0.5
    assert found.different == round(float(found) * found.bins)
    assert found.interval is not None
    assert found.interval[0] < float(found) <= found.interval[1]
    assert found.divergence > 0.05


def test_counts_by_hand() -> None:
    """Two places, two bins; 60 of 100 against 50 of 100 is not significant, 90 of 100 is."""
    places = torch.tensor([[0.0], [10.0]])
    real = places[[0, 1] * 100]
    for ones, different in ((60, 0), (95, 2)):
        fake = places[[1] * ones + [0] * (100 - ones)]
        assert different_bins(fake, real, bins=2).different == different


def test_degenerate() -> None:
    x = draw(400, 0)
    same = different_bins(x, x)
    assert "same samples" in same.warnings[0]
    assert same.bins == 20
    assert "too few for more" in same.warnings[1]
    assert float(different_bins(torch.ones(50, 2), torch.ones(50, 2))) == 0.0
    with pytest.raises(ConfigError, match="bins must be >= 2"):
        different_bins(x, x, bins=1)
    with pytest.raises(DataError, match="more than 3 points"):
        different_bins(x[:3], x)
