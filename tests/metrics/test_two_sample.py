"""Classifier two-sample test: level, power, ties, and the same answer every time."""

import numpy as np
import pytest
import torch

from steadygan.errors import DataError
from steadygan.metrics import classifier_two_sample_test


def test_level_under_equal_distributions() -> None:
    found = []
    for seed in range(200):
        g = torch.Generator().manual_seed(seed)
        y, x = torch.randn(100, 3, generator=g), torch.randn(150, 3, generator=g)
        found.append(classifier_two_sample_test(y, x))
    values = np.array([float(one) for one in found])
    assert abs(values.mean() - 0.5) < 0.02
    assert np.mean([one.p_value < 0.05 for one in found]) < 0.12
    assert np.mean([one.interval[0] <= 0.5 <= one.interval[1] for one in found]) > 0.88


@pytest.mark.parametrize("kind", ["mean", "spread", "shape"])
def test_power(kind: str) -> None:
    g = torch.Generator().manual_seed(0)
    y, x = torch.randn(800, 4, generator=g), torch.randn(800, 4, generator=g)
    y = {"mean": y + 0.5, "spread": y * 1.5, "shape": y.sign() * (1 + 0.1 * y)}[kind]
    found = classifier_two_sample_test(y, x)
    assert found.p_value < 1e-4
    assert found.interval is not None
    assert found.interval[0] > 0.5
    assert found.accuracy == float(found) > 0.6


def test_gaussians_far_apart_in_closed_form() -> None:
    """The best accuracy for a shift of s is Φ(s/2)."""
    g = torch.Generator().manual_seed(0)
    y, x = torch.randn(4000, 1, generator=g) + 2, torch.randn(4000, 1, generator=g)
    assert float(classifier_two_sample_test(y, x)) == pytest.approx(0.8413, abs=0.02)


def test_identical_sets_are_a_coin_toss() -> None:
    x = torch.randn(100, 5)
    found = classifier_two_sample_test(x.clone(), x)
    assert float(found) == 0.5
    assert "same samples" in found.warnings[0]
    assert float(classifier_two_sample_test(torch.ones(20, 2), torch.ones(20, 2))) == 0.5
    assert classifier_two_sample_test(x + 1, x) == classifier_two_sample_test(x + 1, x)


def test_more_features_than_samples_and_constants() -> None:
    y, x = torch.randn(20, 300), torch.randn(20, 300)
    y[:, 7] = x[:, 7] = 3.0
    assert 0 < float(classifier_two_sample_test(y, x)) < 1
    with pytest.raises(DataError, match="more than 3 points"):
        classifier_two_sample_test(y[:3], x)
