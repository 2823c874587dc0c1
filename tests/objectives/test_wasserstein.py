"""Wasserstein: differences of scores, blind to the critic's offset, and a distance where D is optimal."""

import torch

from steadygan.objectives import Wasserstein


def test_is_the_difference_of_scores() -> None:
    real, fake = torch.tensor([3.0, -1.0]), torch.tensor([1.0, 4.0])
    assert Wasserstein().d_loss(real, fake).tolist() == [-2.0, 5.0]
    assert Wasserstein().g_loss(fake).tolist() == [-1.0, -4.0]


def test_d_loss_ignores_the_offset_of_the_critic() -> None:
    real, fake = torch.randn(2, 9, dtype=torch.float64)
    shifted = Wasserstein().d_loss(real + 123, fake + 123)
    assert torch.allclose(shifted, Wasserstein().d_loss(real, fake))


def test_optimal_critic_measures_the_distance() -> None:
    x = torch.randn(50, dtype=torch.float64)
    samples = x - 0.75  # W1 of a shift by 0.75 is 0.75, attained by the critic D(x) = x
    assert torch.allclose(-Wasserstein().d_loss(x, samples).mean(), torch.tensor(0.75).double())


def test_declares_that_its_logits_are_no_probabilities() -> None:
    assert not Wasserstein.bounded_logits
    assert Wasserstein.indifference is None
