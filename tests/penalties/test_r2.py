"""R2 against closed forms: half the squared slope at the fakes, and nothing else."""

import torch

from steadygan.penalties import R1, R2
from steadygan.types import Judged


def test_reads_the_slope_at_each_fake() -> None:
    real = torch.full((2, 2), 100.0)  # would dominate if it were looked at
    fake = torch.tensor([[1.0, 0.0], [0.0, 3.0]], requires_grad=True)
    sides = Judged(real, real.square().sum(1)), Judged(fake, fake.square().sum(1))
    assert R2()(lambda x: x.square().sum(1), *sides).tolist() == [2.0, 18.0]  # half of |2x|²


def test_is_r1_with_the_sides_exchanged() -> None:
    a, b = (torch.randn(4, 3).requires_grad_() for _ in range(2))
    one, other = Judged(a, a.sin().sum(1)), Judged(b, b.sin().sum(1))
    assert torch.equal(R2()(torch.sin, one, other), R1()(torch.sin, other, one))


def test_reaches_a_generator_that_is_still_attached() -> None:
    theta = torch.tensor(3.0, requires_grad=True)
    fake = theta * torch.ones(1, 1)
    value = R2()(lambda x: x.square().sum(1), *[Judged(fake, fake.square().sum(1))] * 2)
    (grad,) = torch.autograd.grad(value.sum(), theta)
    assert grad.item() == 12.0  # d/dθ of ½ (2θ)²
