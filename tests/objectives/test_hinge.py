"""Hinge: the margin, the rest beyond it, and a generator's gradient that never dies."""

import pytest
import torch

from steadygan.objectives import Hinge


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [(0.0, 0.0, 2.0), (1.0, -1.0, 0.0), (5.0, -5.0, 0.0), (-2.0, 3.0, 7.0), (0.5, -3.0, 0.5)],
)
def test_hand_computed_values(real: float, fake: float, expected: float) -> None:
    assert Hinge().d_loss(torch.tensor([real]), torch.tensor([fake])).item() == expected
    assert Hinge().g_loss(torch.tensor([fake])).item() == -fake


def test_d_rests_beyond_its_margin_while_g_does_not() -> None:
    real = torch.tensor([1.5, 0.5], requires_grad=True)
    fake = torch.tensor([-1.5, -0.5], requires_grad=True)
    Hinge().d_loss(real, fake).sum().backward()
    assert real.grad.tolist() == [0.0, -1.0]
    assert fake.grad.tolist() == [0.0, 1.0]
    (g_grad,) = torch.autograd.grad(Hinge().g_loss(fake).sum(), fake)
    assert g_grad.tolist() == [-1.0, -1.0]
