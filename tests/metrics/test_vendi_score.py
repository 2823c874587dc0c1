"""Vendi score: the definition, both sides of n = d, known spectra, interval, refusals."""

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import vendi_score


def twin(y: np.ndarray, bandwidth: float | None) -> float:
    k = np.empty((len(y), len(y)))
    for i, a in enumerate(y):
        for j, b in enumerate(y):
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            apart = ((a - b) ** 2).sum()
            k[i, j] = cosine if bandwidth is None else np.exp(-apart / (2 * bandwidth**2))
    values = np.linalg.eigvalsh(k / len(y))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


@pytest.mark.parametrize(("n", "d"), [(40, 6), (20, 70), (30, 30)])
@pytest.mark.parametrize("bandwidth", [None, 2.5])
def test_against_the_slow_twin(n: int, d: int, bandwidth: float | None) -> None:
    y = np.random.default_rng(0).normal(size=(n, d)) + 0.5
    found = vendi_score(y, bandwidth=bandwidth)
    assert float(found) == pytest.approx(twin(y, bandwidth), rel=1e-6)
    assert found.interval is not None
    assert found.interval[0] < float(found) < found.interval[1]


def test_known_spectra() -> None:
    assert float(vendi_score(torch.ones(50, 3) * 4)) == pytest.approx(1.0, abs=1e-9)
    assert float(vendi_score(torch.eye(30))) == pytest.approx(30.0, rel=1e-9)
    uneven = torch.eye(2)[[0, 0, 0, 1]].repeat(25, 1)
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert float(vendi_score(uneven)) == pytest.approx(expected, rel=1e-9)
    assert float(vendi_score(torch.randn(1, 5))) == pytest.approx(1.0)


def test_interval_covers() -> None:
    axes = torch.tensor([1.0, 0.5, 0.25, 2.0])

    def draw(n: int, seed: int) -> torch.Tensor:
        return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed)) * axes

    truth = float(vendi_score(draw(200_000, 999)))
    found = [vendi_score(draw(500, seed)) for seed in range(200)]
    inside = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found])
    assert inside > 0.95 - 4.5 * (0.95 * 0.05 / 200) ** 0.5


def test_warns_and_refuses() -> None:
    assert "still rises with n" in vendi_score(torch.randn(20, 500)).warnings[0]
    with pytest.raises(DataError, match="zeros in sample 2"):
        vendi_score(torch.eye(4)[:2].repeat_interleave(1, 0).new_tensor([[1.0, 0], [0, 1], [0, 0]]))
    with pytest.raises(ConfigError, match="bandwidth must be > 0, got -1"):
        vendi_score(torch.randn(5, 2), bandwidth=-1)
