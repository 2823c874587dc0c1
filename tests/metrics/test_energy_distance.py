"""Energy distance against scipy, closed forms and its own unbiasedness."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from steadygan.data import Ring
from steadygan.errors import DataError
from steadygan.metrics import energy_distance


def twin(fake: np.ndarray, real: np.ndarray) -> float:
    """One pair at a time."""

    def mean(a: np.ndarray, b: np.ndarray, *, other: bool) -> float:
        pairs = [
            np.linalg.norm(x - y)
            for i, x in enumerate(a)
            for j, y in enumerate(b)
            if not other or i != j
        ]
        return float(np.mean(pairs))

    spread = mean(real, real, other=True)
    return (2 * mean(fake, real, other=False) - mean(fake, fake, other=True) - spread) / spread


@pytest.mark.parametrize("dims", [1, 80])
def test_against_the_slow_twin(dims: int) -> None:
    rng = np.random.default_rng(0)
    fake, real = rng.normal(size=(20, dims)) + 1, rng.normal(size=(30, dims))
    assert float(energy_distance(fake, real)) == pytest.approx(twin(fake, real), rel=1e-10)


def test_against_scipy_on_the_line() -> None:
    """scipy has the square root of the biased form: (n − 1)/n of each mean within a set."""
    rng = np.random.default_rng(1)
    fake, real = rng.exponential(size=60), rng.normal(size=80)
    within = {len(s): np.abs(s[:, None] - s).mean() for s in (fake, real)}
    spread = within[80] * 80 / 79
    squared = stats.energy_distance(fake, real) ** 2
    expected = (squared + within[60] + within[80] - within[60] * 60 / 59 - spread) / spread
    assert float(energy_distance(fake[:, None], real[:, None])) == pytest.approx(expected)


def test_shifted_gaussians() -> None:
    """On the line E|x − x'| = 2σ/√π and E|x − y| is the mean of a folded Gaussian."""
    n, shift = 4000, 1.5
    points = torch.special.ndtri((torch.arange(n).double() + 0.5) / n)[:, None]
    mean = stats.foldnorm(shift / math.sqrt(2), scale=math.sqrt(2)).mean()
    expected = 2 * mean / (2 / math.sqrt(math.pi)) - 2
    assert float(energy_distance(points + shift, points)) == pytest.approx(expected, abs=2e-3)


def test_unbiased_and_honest_about_it() -> None:
    values = [float(energy_distance(torch.randn(20, 3), torch.randn(20, 3))) for _ in range(300)]
    error = np.std(values) / math.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error
    assert min(values) < 0


def test_what_the_docstring_says_of_collapse() -> None:
    x, y = Ring(labels=True).reference(2000, seed=0)
    assert y is not None
    assert float(energy_distance(x[:1].repeat(500, 1), x)) == pytest.approx(1.0, abs=0.05)
    seven = x[y != 3]
    assert float(energy_distance(seven[:800], x[1000:])) == pytest.approx(0.02, abs=0.01)


def test_free_of_units() -> None:
    fake, real = torch.randn(30, 4).double(), torch.randn(30, 4).double() * 2
    moved = energy_distance(fake * 1e-3 + 5, real * 1e-3 + 5)
    assert float(moved) == pytest.approx(float(energy_distance(fake, real)), rel=1e-9)


def test_reals_without_spread_are_refused() -> None:
    with pytest.raises(DataError, match="real must hold different points, got 9 copies of one"):
        energy_distance(torch.randn(9, 2), torch.ones(9, 2))
    with pytest.raises(DataError, match="fake must hold more than 1 points, got 1"):
        energy_distance(torch.randn(1, 2), torch.randn(9, 2))
