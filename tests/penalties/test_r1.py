"""R1 against closed forms: half the squared slope at the reals, and nothing else."""

import pytest
import torch

from steadygan.penalties import R1
from steadygan.types import Judged


@pytest.mark.parametrize("size", [1, 2, 64])
def test_linear_critic(size: int) -> None:
    u = torch.randn(6, dtype=torch.float64)
    x = torch.randn(size, 6, dtype=torch.float64, requires_grad=True)
    value = R1()(lambda x: x @ u, Judged(x, x @ u), Judged(x.detach(), x.detach() @ u))
    assert torch.allclose(value, u.square().sum().expand(size) / 2)


def test_reads_the_slope_at_each_real() -> None:
    real = torch.tensor([[1.0, 0.0], [0.0, 3.0]], requires_grad=True)
    fake = torch.full((2, 2), 100.0)  # would dominate if it were looked at
    sides = Judged(real, real.square().sum(1)), Judged(fake, fake.square().sum(1))
    assert R1()(lambda x: x.square().sum(1), *sides).tolist() == [2.0, 18.0]  # half of |2x|²


def test_draws_no_random_numbers() -> None:
    x = torch.randn(3, 2, requires_grad=True)
    before = torch.get_rng_state()
    R1()(lambda x: x.sum(1), Judged(x, x.sum(1)), Judged(x, x.sum(1)))
    assert torch.equal(torch.get_rng_state(), before)
