"""DRAGAN: where it looks, and its equation at those points."""

import math

import pytest
import torch
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.penalties import DRAGAN
from steadygan.types import Judged


def points_seen(penalty: DRAGAN, real: Tensor) -> Tensor:
    """The points at which the penalty asks the critic."""
    seen = []

    def critic(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.sum(1)

    fake = torch.full_like(real, 1e6)  # must play no part
    penalty(critic, Judged(real, real.sum(1)), Judged(fake, fake.sum(1)))
    return torch.cat(seen)


def test_looks_around_the_reals_at_the_spread_asked_for() -> None:
    real = 5 + 3 * torch.randn(4000, 4, dtype=torch.float64)
    noise = (points_seen(DRAGAN(spread=0.5), real) - real) / real.std(correction=0)
    assert noise.std().item() == pytest.approx(0.5, rel=0.03)
    assert abs(noise.mean().item()) < 0.02
    assert abs(torch.corrcoef(noise.T)[0, 1].item()) < 0.06  # each coordinate has its own


def test_without_spread_it_looks_at_the_reals() -> None:
    real = torch.randn(6, 2)
    assert torch.equal(points_seen(DRAGAN(spread=0.0), real), real)


def test_one_sample_of_one_coordinate_has_no_spread_but_a_value() -> None:
    real = torch.tensor([[2.0]])
    assert torch.equal(points_seen(DRAGAN(), real), real)


def test_equals_the_equation() -> None:
    real = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    judged = Judged(real, real.square().sum(1))
    value = DRAGAN(spread=0.0)(lambda x: x.square().sum(1), judged, judged)
    assert value.tolist() == [1.0, 9.0]  # (|2x| − 1)²


@pytest.mark.parametrize("spread", [-0.5, math.nan, math.inf])
def test_refuses_a_spread_out_of_range(spread: float) -> None:
    with pytest.raises(ConfigError, match=rf"DRAGAN.spread must be >= 0 and finite, got {spread}"):
        DRAGAN(spread=spread)
