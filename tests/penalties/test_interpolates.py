"""Interpolates lie on the segments, with one epsilon per sample, for data of any shape."""

import pytest
import torch

from steadygan.penalties.interpolates import interpolates


@pytest.mark.parametrize("event", [(), (3,), (2, 4, 4)])
def test_one_epsilon_per_sample(event: tuple[int, ...]) -> None:
    real = torch.zeros(64, *event, dtype=torch.float64)
    epsilon = interpolates(real, real + 2.0).reshape(64, -1) / 2
    assert torch.equal(epsilon, epsilon[:, :1].expand_as(epsilon))
    assert len(epsilon[:, 0].unique()) == 64
    assert epsilon.min() >= 0
    assert epsilon.max() < 1
    assert 0.4 < epsilon.mean() < 0.6


def test_real_i_goes_with_fake_i() -> None:
    real = torch.arange(5.0).unsqueeze(1)
    assert torch.equal(interpolates(real, real.clone()), real)


def test_draws_from_the_global_generator() -> None:
    real, fake = torch.randn(2, 4, 3)
    torch.manual_seed(7)
    first, second = interpolates(real, fake), interpolates(real, fake)
    torch.manual_seed(7)
    assert torch.equal(interpolates(real, fake), first)
    assert not torch.equal(first, second)
