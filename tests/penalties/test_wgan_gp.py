"""WGANGP against its equation, at interpolates drawn a second time from the same seed."""

import torch
from torch import Tensor

from steadygan.penalties import WGANGP
from steadygan.types import Judged


def critic(x: Tensor) -> Tensor:
    return x.pow(3).sum(1)


def test_equals_the_equation_at_the_same_points() -> None:
    real, fake = torch.randn(2, 5, 3, dtype=torch.float64)
    torch.manual_seed(3)
    value = WGANGP()(critic, Judged(real, critic(real)), Judged(fake, critic(fake)))
    torch.manual_seed(3)
    epsilon = torch.rand(5, 1, dtype=torch.float64)
    points = (1 - epsilon) * real + epsilon * fake
    expected = [(sum((3 * t**2) ** 2 for t in p) ** 0.5 - 1) ** 2 for p in points.tolist()]
    assert torch.allclose(value, torch.tensor(expected, dtype=torch.float64))


def test_punishes_slopes_on_both_sides_of_one() -> None:
    judged = Judged(torch.zeros(1, 2), torch.zeros(1))
    values = [WGANGP()(lambda x, s=s: s * x[:, 0], judged, judged).item() for s in (0.0, 0.5, 1, 3)]
    assert values == [1.0, 0.25, 0.0, 4.0]


def test_norm_is_not_taken_over_the_batch() -> None:
    """The known bug: one norm over b samples of slope one is sqrt(b), so the penalty (sqrt(b) − 1)²."""
    real = torch.randn(16, 4)
    value = WGANGP()(lambda x: x[:, 0], Judged(real, real[:, 0]), Judged(real, real[:, 0]))
    assert value.tolist() == [0.0] * 16
