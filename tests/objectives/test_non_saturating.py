"""NonSaturating against the textbook formula, and the gradient that gives it its name."""

import math

import pytest
import torch

from steadygan.objectives import Minimax, NonSaturating

PAIRS = [(0.0, 0.0), (1.5, -0.5), (-3.0, 4.0), (6.0, -7.0)]


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize(("real", "fake"), PAIRS)
def test_equals_the_formula_with_probabilities(real: float, fake: float) -> None:
    r, f = torch.tensor([real]).double(), torch.tensor([fake]).double()
    d = -math.log(sigmoid(real)) - math.log(1 - sigmoid(fake))
    assert NonSaturating().d_loss(r, f).item() == pytest.approx(d, rel=1e-9)
    assert NonSaturating().g_loss(f).item() == pytest.approx(-math.log(sigmoid(fake)), rel=1e-9)


@pytest.mark.parametrize("logit", [-50.0, -1e4])
def test_gradient_is_whole_where_d_is_sure_of_a_fake(logit: float) -> None:
    fake = torch.tensor([logit], requires_grad=True)
    NonSaturating().g_loss(fake).sum().backward()
    assert fake.grad.item() == -1.0


def test_d_plays_as_in_minimax() -> None:
    real, fake = 5 * torch.randn(2, 20)
    assert torch.equal(NonSaturating().d_loss(real, fake), Minimax().d_loss(real, fake))
