"""LeastSquares: zero at the targets, the right halves, and targets as settings."""

import math

import pytest
import torch

from steadygan.errors import ConfigError
from steadygan.objectives import LeastSquares


def test_zero_exactly_at_the_targets() -> None:
    objective = LeastSquares(real_target=2.0, fake_target=-1.0, g_target=0.5)
    at = {name: torch.tensor([value]) for name, value in vars(objective).items()}
    assert objective.d_loss(at["real_target"], at["fake_target"]).item() == 0.0
    assert objective.g_loss(at["g_target"]).item() == 0.0


def test_equals_the_formula() -> None:
    objective = LeastSquares(real_target=1.0, fake_target=-1.0, g_target=0.0)
    for real, fake in [(0.3, 0.8), (-40.0, 50.0)]:
        r, f = torch.tensor([real]).double(), torch.tensor([fake]).double()
        d = ((real - 1) ** 2 + (fake + 1) ** 2) / 2
        assert objective.d_loss(r, f).item() == pytest.approx(d, rel=1e-6)
        assert objective.g_loss(f).item() == pytest.approx(fake**2 / 2, rel=1e-6)


def test_pulls_back_fakes_that_d_likes_too_well() -> None:
    fake = torch.tensor([3.0], requires_grad=True)
    LeastSquares().g_loss(fake).sum().backward()
    assert fake.grad.item() == 2.0


@pytest.mark.parametrize(("real", "fake", "expected"), [(1.0, 0.0, 0.25), (1.0, -1.0, 1.0)])
def test_indifference_follows_the_targets(real: float, fake: float, expected: float) -> None:
    assert LeastSquares(real_target=real, fake_target=fake).indifference == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"real_target": 0.0}, "LeastSquares.real_target must be above fake_target=0.0, got 0.0"),
        ({"g_target": -2.0}, "LeastSquares.g_target must be above fake_target=0.0, got -2.0"),
        ({"fake_target": math.nan}, "LeastSquares.fake_target must be finite, got nan"),
    ],
)
def test_refuses_targets_out_of_order(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LeastSquares(**settings)
