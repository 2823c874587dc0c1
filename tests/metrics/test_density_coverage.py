"""Density and coverage against a slow twin and their expectations."""

import math

import numpy as np
import pytest
import torch

from steadygan.errors import DataError
from steadygan.metrics import density_coverage


def twin(fake: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float]:
    """The paper's definition, one point at a time."""
    inside = np.zeros((len(fake), len(real)), dtype=bool)
    for i, x in enumerate(real):
        radius = sorted(np.linalg.norm(x - o) for j, o in enumerate(real) if j != i)[k - 1]
        inside[:, i] = [np.linalg.norm(y - x) < radius for y in fake]
    return inside.sum() / (k * len(fake)), inside.any(axis=0).mean()


@pytest.mark.parametrize("dims", [2, 80])
@pytest.mark.parametrize("k", [1, 5])
def test_against_the_slow_twin(dims: int, k: int) -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(40, dims)), rng.normal(size=(30, dims)) * 0.8 + 0.2
    found = density_coverage(fake, real, k=k)
    assert (found.density, found.coverage) == pytest.approx(twin(fake, real, k), rel=1e-12)


def test_expectations_of_perfect_samples() -> None:
    """E[density] = 1, E[coverage] = 1 − Π (m − 1 − i) / (2m − 1 − i) in any dimension."""
    m, k, runs = 30, 5, 200
    found = [density_coverage(torch.randn(m, 8), torch.randn(m, 8), k) for _ in range(runs)]
    expected = 1 - math.prod((m - 1 - i) / (2 * m - 1 - i) for i in range(k))
    assert np.mean([f.coverage for f in found]) == pytest.approx(expected, abs=0.006)
    assert np.mean([f.density for f in found]) == pytest.approx(1.0, abs=0.03)


def test_an_outlier_among_the_fakes_changes_nothing_but_its_own_share() -> None:
    x = torch.randn(100, 2)
    outlier = torch.full((1, 2), 1e3)
    before = density_coverage(x[:50], x[50:])
    after = density_coverage(torch.cat([x[:50], outlier]), x[50:])
    assert after.coverage == before.coverage
    assert after.density == pytest.approx(before.density * 50 / 51)


def test_one_mode_of_four() -> None:
    centres = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    real = centres.repeat(50, 1) + 0.1 * torch.randn(200, 2)
    found = density_coverage(0.1 * torch.randn(200, 2), real)
    assert found.coverage == pytest.approx(0.25, abs=0.02)


def test_the_ball_has_no_rim() -> None:
    """Whole numbers: the third neighbour of 0 is 3 away, and 3 below 0 is outside already."""
    real, far = torch.arange(4.0)[:, None], torch.full((3, 1), 99.0)
    rim, inside = torch.tensor([[-3.0]]), torch.tensor([[-2.9]])
    assert density_coverage(torch.cat([rim, far]), real, k=3).density == 0
    assert density_coverage(torch.cat([inside, far]), real, k=3).density == 1 / (3 * 4)


def test_as_a_number_it_is_the_coverage() -> None:
    found = density_coverage(torch.randn(30, 2) * 0.3, torch.randn(40, 2))
    assert float(found) == found.value == found.coverage != found.density


def test_refuses_too_few() -> None:
    with pytest.raises(DataError, match="real must hold more than 5 points, got 5"):
        density_coverage(torch.randn(9, 2), torch.randn(5, 2))
