"""Counting modes: known arrangements, and the closed form of reverse KL."""

import math

import numpy as np
import pytest
import torch

from steadygan.data import Grid, Ring
from steadygan.errors import DataError
from steadygan.metrics import mode_count, mode_coverage


def test_reverse_kl_against_the_sum() -> None:
    labels = np.array([0] * 5 + [1] * 3 + [4] * 2)
    shares = np.array([0.5, 0.3, 0.2])
    found = mode_count(labels, num_modes=5)
    assert found.modes == 3
    assert found.reverse_kl == pytest.approx(float((shares * np.log(shares * 5)).sum()))


def test_one_mode_of_many() -> None:
    found = mode_count(torch.full((100,), 7), num_modes=1000)
    assert (found.modes, float(found)) == (1, 1.0)
    assert found.reverse_kl == pytest.approx(math.log(1000))


def test_chance_alone() -> None:
    """Equal modes, n samples: reverse KL is (K − 1) / 2n in expectation."""
    found = [mode_count(torch.randint(20, (1000,)), num_modes=20).reverse_kl for _ in range(100)]
    assert np.mean(found) == pytest.approx(19 / 2000, rel=0.15)


@pytest.mark.parametrize("source", [Ring(), Grid()], ids=lambda s: type(s).__name__)
def test_the_data_reaches_all_its_modes(source: Ring | Grid) -> None:
    x = source.to_data(source.reference(2500, seed=0)[0])
    found = mode_coverage(x, source.centres, source.std)
    assert found.modes == len(source.centres)
    assert found.high_quality_share == pytest.approx(1 - math.exp(-4.5), abs=0.006)
    assert found.reverse_kl < 0.02


def test_a_stray_sample_is_no_mode() -> None:
    """Of 25 modes and 2500 samples a mode needs 10."""
    grid = Grid()
    x = grid.centres[0].repeat(2500, 1)
    x[:10], x[10:19] = grid.centres[1], grid.centres[2]
    found = mode_coverage(x, grid.centres, grid.std)
    assert found.modes == 2
    assert found.high_quality_share == 1.0


def test_noise_between_the_modes_has_low_quality_but_even_shares() -> None:
    ring = Ring()
    x = ring.centres.repeat(100, 1) * 0.8
    found = mode_coverage(x, ring.centres, ring.std)
    assert (found.modes, found.high_quality_share, found.reverse_kl) == (0, 0.0, 0.0)


def test_few_samples_need_one_in_each_mode() -> None:
    found = mode_coverage(torch.eye(3), torch.eye(3), std=0.1)
    assert found.modes == 3


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 3]), r"lie in 0 … 2, got 0 … 3"),
        (torch.tensor([-1, 0]), r"got -1 … 0"),
        (torch.tensor([0.0, 1.0]), "whole numbers"),
        (torch.zeros(2, 2, dtype=torch.int64), r"shape \(n,\)"),
        (torch.zeros(0, dtype=torch.int64), "n >= 1"),
    ],
)
def test_refuses_labels(labels: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mode_count(labels, num_modes=3)


def test_refuses_other_coordinates_and_widths() -> None:
    with pytest.raises(DataError, match="same number of coordinates, got 3 and 2"):
        mode_coverage(torch.randn(9, 3), torch.randn(4, 2), std=0.1)
    with pytest.raises(DataError, match="std must be >= 0"):
        mode_coverage(torch.randn(9, 2), torch.randn(4, 2), std=-1)
