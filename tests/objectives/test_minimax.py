"""Minimax against the textbook formula with probabilities, and its one defining flaw."""

import math

import pytest
import torch

from steadygan.objectives import Minimax

PAIRS = [(0.0, 0.0), (1.5, -0.5), (-3.0, 4.0), (6.0, -7.0)]


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize(("real", "fake"), PAIRS)
def test_equals_the_formula_with_probabilities(real: float, fake: float) -> None:
    r, f = torch.tensor([real]).double(), torch.tensor([fake]).double()
    d = -math.log(sigmoid(real)) - math.log(1 - sigmoid(fake))
    assert Minimax().d_loss(r, f).item() == pytest.approx(d, rel=1e-9)
    assert Minimax().g_loss(f).item() == pytest.approx(math.log(1 - sigmoid(fake)), rel=1e-9)


def test_is_a_zero_sum_game_in_the_fakes() -> None:
    real, fake = torch.randn(2, 7, dtype=torch.float64)
    of_reals = Minimax().d_loss(real, torch.full_like(fake, -1e4))  # no loss left on fakes
    assert torch.allclose(Minimax().d_loss(real, fake) + Minimax().g_loss(fake), of_reals)


def test_saturates_where_d_is_sure_of_a_fake() -> None:
    fake = torch.tensor([-50.0, 0.0, 50.0], requires_grad=True)
    Minimax().g_loss(fake).sum().backward()
    assert torch.allclose(fake.grad, torch.tensor([0.0, -0.5, -1.0]))
