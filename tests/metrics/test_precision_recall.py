"""Precision and recall against a slow twin and arrangements with a known answer."""

import numpy as np
import pytest
import torch

from steadygan.errors import DataError
from steadygan.metrics import manifolds, precision_recall


def twin(fake: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float]:
    """The paper's definition, one point at a time."""

    def radius(points: np.ndarray, i: int) -> float:
        others = [np.linalg.norm(points[i] - p) for j, p in enumerate(points) if j != i]
        return float(sorted(others)[k - 1])

    def share(inside: np.ndarray, of: np.ndarray) -> float:
        radii = [radius(of, i) for i in range(len(of))]
        hits = [
            any(np.linalg.norm(x - o) <= r for o, r in zip(of, radii, strict=True)) for x in inside
        ]
        return float(np.mean(hits))

    return share(fake, real), share(real, fake)


@pytest.mark.parametrize("dims", [2, 80])
@pytest.mark.parametrize("k", [1, 3])
def test_against_the_slow_twin(dims: int, k: int) -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(40, dims)), rng.normal(size=(30, dims)) * 0.8 + 0.3
    found = precision_recall(fake, real, k=k)
    assert (found.precision, found.recall) == twin(fake, real, k)


def test_a_part_of_the_data_is_precise_but_recalls_little() -> None:
    real = torch.cat([torch.linspace(0, 1, 90), torch.linspace(10, 11, 10)])[:, None]
    fake = torch.linspace(10.01, 10.99, 50)[:, None]
    found = precision_recall(fake, real)
    assert found.precision == 1.0
    assert found.recall == pytest.approx(0.10, abs=0.021)


def test_apart_is_zero_and_so_is_its_f1() -> None:
    x = torch.randn(20, 3)
    found = precision_recall(x + 100, x)
    assert (found.precision, found.recall, float(found)) == (0.0, 0.0, 0.0)


def test_the_ball_has_a_rim() -> None:
    """Whole numbers: the third neighbour of 0 is 3 away, and 3 below 0 is still inside."""
    real = torch.arange(4.0)[:, None]
    assert precision_recall(torch.tensor([[-3.0], [-3.1], [6.0], [6.1]]), real).precision == 0.5


def test_f1_is_the_harmonic_mean() -> None:
    found = precision_recall(torch.randn(50, 2) * 0.3, torch.randn(50, 2))
    assert found.precision != found.recall
    harmonic = 2 / (1 / found.precision + 1 / found.recall)
    assert float(found) == found.f1 == pytest.approx(harmonic, rel=1e-12)


def test_arrays_and_tensors_and_their_types_agree() -> None:
    real, fake = torch.randn(50, 4), torch.randn(50, 4) + 0.5
    expected = precision_recall(fake, real)
    assert precision_recall(fake.numpy(), real.numpy()) == expected
    assert precision_recall(fake.double(), real.numpy()) == expected
    assert precision_recall(fake.clone().requires_grad_(), real) == expected


def test_units_position_and_order_do_not_matter() -> None:
    real, fake = torch.randn(50, 4).double(), torch.randn(40, 4).double() + 0.5
    turned = torch.linalg.qr(torch.randn(4, 4).double()).Q
    moved = (fake[torch.randperm(40)] @ turned * 7 + 3, real[torch.randperm(50)] @ turned * 7 + 3)
    found, expected = precision_recall(*moved), precision_recall(fake, real)
    assert (found.precision, found.recall) == (expected.precision, expected.recall)


@pytest.mark.parametrize(
    ("fake", "real", "message"),
    [
        (torch.randn(3, 2), torch.randn(9, 2), "fake must hold more than 3 points, got 3"),
        (torch.randn(9, 2), torch.randn(2, 2), "real must hold more than 3 points, got 2"),
        (torch.randn(9, 2), torch.randn(9, 3), "same number of features, got 2 and 3"),
        (torch.randn(9, 2, 2), torch.randn(9, 4), r"shape \(n, d\), got \(9, 2, 2\)"),
        (torch.randn(9), torch.randn(9, 4), r"shape \(n, d\), got \(9,\)"),
        (torch.randn(9, 0), torch.randn(9, 0), r"got \(9, 0\)"),
    ],
)
def test_refuses(fake: torch.Tensor, real: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        precision_recall(fake, real)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_names_the_bad_sample(value: float) -> None:
    fake = torch.randn(20, 5)
    fake[17, 3] = value
    fake[19, 0] = value
    with pytest.raises(DataError, match=f"got {value} in sample 17, feature 3 \\(2 of 20"):
        precision_recall(fake, torch.randn(20, 5))


def test_intervals_cover() -> None:
    results = []
    for seed in range(30):
        g = torch.Generator().manual_seed(seed)
        y, x = torch.randn(150, 3, generator=g) * 0.8, torch.randn(150, 3, generator=g)
        results.append(manifolds(y, x))
    lowest = 0.95 - 4.5 * (0.95 * 0.05 / 30) ** 0.5
    for name in ("precision", "recall", "f1", "density", "coverage"):
        mean = np.mean([getattr(one, name) for one in results])
        inside = [one.intervals[name][0] <= mean <= one.intervals[name][1] for one in results]
        assert np.mean(inside) > lowest, name
        widths = [one.intervals[name][1] - one.intervals[name][0] for one in results]
        assert np.median(widths) < 12 * np.std([getattr(one, name) for one in results]), name
