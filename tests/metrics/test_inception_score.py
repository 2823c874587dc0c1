"""Inception score: slow twin, torchmetrics' formula, ends of the scale, interval, refusals."""

import numpy as np
import pytest
import torch

from steadygan.errors import DataError
from steadygan.metrics import inception_score


def twin(p: np.ndarray) -> float:
    mean = [sum(row[k] for row in p) / len(p) for k in range(p.shape[1])]
    parts = [sum(x * np.log(x / m) for x, m in zip(row, mean, strict=True) if x > 0) for row in p]
    return float(np.exp(sum(parts) / len(p)))


def draws(n: int, seed: int, classes: int = 5) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return (torch.randn(n, classes, generator=g) * 2).double().softmax(1)


def test_against_the_slow_twin() -> None:
    p = draws(80, 0)
    p[3] = torch.tensor([1.0, 0, 0, 0, 0])
    assert float(inception_score(p)) == pytest.approx(twin(p.numpy()), rel=1e-9)
    assert float(inception_score(p.half())) == pytest.approx(twin(p.numpy()), rel=1e-2)


def test_against_torchmetrics() -> None:
    score = pytest.importorskip("torchmetrics.image.inception")
    del score  # its class wants a network; the formula is one line of torch
    p = draws(300, 1)
    kl = p * (p.log() - p.mean(0, keepdim=True).log())
    assert float(inception_score(p)) == pytest.approx(float(kl.sum(1).mean().exp()), rel=1e-6)


def test_ends_of_the_scale() -> None:
    best = inception_score(torch.eye(7).repeat(20, 1))
    assert (float(best), *best.interval, best.classes) == pytest.approx((7, 7, 7, 7), rel=1e-12)
    assert float(inception_score(torch.full((30, 4), 0.25))) == 1.0
    assert float(inception_score(torch.eye(4)[:1].repeat(30, 1))) == 1.0
    one = inception_score(torch.tensor([[0.2, 0.8]]))
    assert (float(one), one.interval) == (1.0, None)
    assert "biased upwards" in one.warnings[0]


def test_interval_covers() -> None:
    truth = float(inception_score(draws(200_000, 999)))
    found = [inception_score(draws(400, seed)) for seed in range(200)]
    inside = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found])
    assert inside > 0.95 - 4.5 * (0.95 * 0.05 / 200) ** 0.5


@pytest.mark.parametrize("bad", [torch.randn(9, 3), torch.full((9, 3), 0.5), -torch.eye(3)])
def test_refuses_what_is_no_probability(bad: torch.Tensor) -> None:
    with pytest.raises(DataError, match=r"apply softmax to logits"):
        inception_score(bad)
