"""KID and MMD against a slow twin, closed forms and torchmetrics; intervals that cover."""

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import energy_distance, kernel_distance, maximum_mean_discrepancy, pair_means


def twin(fake: np.ndarray, real: np.ndarray, kernel) -> float:  # type: ignore[no-untyped-def]
    """Every pair by itself; of a set with itself only different samples."""

    def mean(a: np.ndarray, b: np.ndarray, same: bool) -> float:
        return float(
            np.mean(
                [
                    kernel(p, q)
                    for i, p in enumerate(a)
                    for j, q in enumerate(b)
                    if not same or i != j
                ]
            )
        )

    return mean(fake, fake, True) + mean(real, real, True) - 2 * mean(fake, real, False)


def cubic(a: np.ndarray, b: np.ndarray) -> float:
    return float((a @ b / len(a) + 1) ** 3)


@pytest.mark.parametrize("dims", [3, 70])
def test_against_the_slow_twin(dims: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_means, "_ROWS", 16)  # several blocks, also off the diagonal
    rng = np.random.default_rng(0)
    fake, real = rng.normal(size=(35, dims)) + 0.5, rng.normal(size=(45, dims)) * 1.2
    assert float(kernel_distance(fake, real)) == pytest.approx(twin(fake, real, cubic), rel=1e-9)
    expected = twin(fake, real, lambda a, b: np.exp(-((a - b) ** 2).sum() / (2 * 9.0)))
    found = maximum_mean_discrepancy(fake, real, bandwidth=3)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_gaussian_kernel_in_closed_form() -> None:
    """For N(0, 1) and N(m, 1) on the line: 2·√(h²/(h² + 2))·(1 − exp(−m²/(2(h² + 2))))."""
    g = torch.Generator().manual_seed(0)
    fake, real = torch.randn(3000, 1, generator=g) + 1.5, torch.randn(3000, 1, generator=g)
    expected = 2 * (1 / 3) ** 0.5 * (1 - np.exp(-(1.5**2) / 6))
    found = maximum_mean_discrepancy(fake, real, bandwidth=1.0)
    assert found.interval is not None
    assert found.interval[0] < expected < found.interval[1]
    assert float(found) == pytest.approx(expected, rel=0.05)


def test_against_torchmetrics() -> None:
    kid = pytest.importorskip("torchmetrics.image.kid")
    fake, real = torch.randn(200, 40) + 0.3, torch.randn(200, 40)
    theirs = float(kid.poly_mmd(real.double(), fake.double()))
    assert float(kernel_distance(fake, real)) == pytest.approx(theirs, rel=1e-3)


def test_without_bias_and_with_a_wide_enough_interval() -> None:
    results = []
    for seed in range(200):
        g = torch.Generator().manual_seed(seed)
        results.append(
            kernel_distance(torch.randn(50, 4, generator=g), torch.randn(50, 4, generator=g))
        )
    values = np.array([float(one) for one in results])
    assert abs(values.mean()) < 4 * values.std() / 200**0.5
    assert values.min() < 0
    assert np.mean([one.interval[0] <= 0 <= one.interval[1] for one in results]) > 0.88


@pytest.mark.parametrize("metric", [kernel_distance, energy_distance, maximum_mean_discrepancy])
def test_intervals_cover_a_difference(metric) -> None:  # type: ignore[no-untyped-def]
    results = []
    for seed in range(150):
        g = torch.Generator().manual_seed(seed)
        fake = torch.randn(60, 4, generator=g) + 0.4
        results.append(metric(fake, torch.randn(80, 4, generator=g)))
    mean = np.mean([float(one) for one in results])
    inside = np.mean([one.interval[0] <= mean <= one.interval[1] for one in results])
    assert inside > 0.95 - 4.5 * (0.95 * 0.05 / 150) ** 0.5
    widths = np.median([one.interval[1] - one.interval[0] for one in results])
    spread = 2 * 1.96 * np.std([float(one) for one in results])
    assert 0.7 < widths / spread < 1.6  # and not by being endless


def test_blocks_estimate_the_same() -> None:
    fake, real = torch.randn(600, 5) + 0.5, torch.randn(600, 5)
    whole, blocks = kernel_distance(fake, real), kernel_distance(fake, real, block=60)
    assert whole.interval is not None
    assert blocks.interval is not None
    assert blocks.interval[0] < float(whole) < blocks.interval[1]
    assert kernel_distance(fake, real, block=600) == whole


@pytest.mark.parametrize("metric", [kernel_distance, energy_distance, maximum_mean_discrepancy])
def test_identical_sets_are_zero(metric) -> None:  # type: ignore[no-untyped-def]
    x = torch.randn(100, 80)
    for y in (x.clone(), x[torch.randperm(100)]):
        found = metric(y, x)
        assert float(found) == 0.0
        assert "same samples" in found.warnings[0]
        assert found.interval is not None
        assert found.interval[0] == 0.0 < found.interval[1]


@pytest.mark.parametrize("metric", [kernel_distance, energy_distance, maximum_mean_discrepancy])
def test_degenerate(metric) -> None:  # type: ignore[no-untyped-def]
    two = metric(torch.randn(2, 3), torch.randn(2, 3))
    assert np.isfinite(float(two))
    assert two.interval is None
    assert float(metric(torch.ones(20, 3) * 5, torch.randn(20, 3))) > 0
    with pytest.raises(DataError, match="fake must hold more than 1 points, got 1"):
        metric(torch.randn(1, 3), torch.randn(9, 3))
    with pytest.raises(DataError, match="finite"):
        metric(torch.full((3, 3), torch.nan), torch.randn(9, 3))


def test_refuses() -> None:
    x = torch.randn(9, 2)
    with pytest.raises(ConfigError, match="block must be >= 2, got 1"):
        kernel_distance(x, x, block=1)
    with pytest.raises(ConfigError, match="bandwidth must be > 0, got 0"):
        maximum_mean_discrepancy(x, x, bandwidth=0)
    with pytest.raises(DataError, match="different points"):
        maximum_mean_discrepancy(x, torch.ones(9, 2))
