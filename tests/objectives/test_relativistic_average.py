"""RelativisticAverage against a plain loop, and what its batch means imply."""

import math

import pytest
import torch

from steadygan.errors import ContractError
from steadygan.objectives import RelativisticAverage


def log_sigmoid(t: float) -> float:
    return -math.log(1 + math.exp(-t))


def test_equals_a_plain_loop() -> None:
    real, fake = [2.0, -1.0, 0.5, 3.0], [1.0, 1.5, -4.0, 0.0]
    mean_real, mean_fake = sum(real) / 4, sum(fake) / 4
    d, g = [], []
    for r, f in zip(real, fake, strict=True):
        d.append(-log_sigmoid(r - mean_fake) - log_sigmoid(-(f - mean_real)))
        g.append(-log_sigmoid(f - mean_real) - log_sigmoid(-(r - mean_fake)))
    r, f = torch.tensor(real).double(), torch.tensor(fake).double()
    assert RelativisticAverage().d_loss(r, f).tolist() == pytest.approx(d, rel=1e-9)
    assert RelativisticAverage().g_loss(f, r).tolist() == pytest.approx(g, rel=1e-9)


def test_gradient_flows_through_the_means_too() -> None:
    real = torch.randn(4, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(RelativisticAverage().d_loss, (real, fake))
    assert torch.autograd.gradcheck(lambda f: RelativisticAverage().g_loss(f, real), (fake,))


def test_small_batches_are_biased_upwards() -> None:
    real, fake = 1 + torch.randn(512, dtype=torch.float64), torch.randn(512, dtype=torch.float64)
    whole = RelativisticAverage().d_loss(real, fake).mean()
    pairs = zip(real.split(2), fake.split(2), strict=True)
    in_pieces = torch.cat([RelativisticAverage().d_loss(r, f) for r, f in pairs]).mean()
    assert in_pieces > whole + 0.02


def test_asks_for_the_reals_in_one_line() -> None:
    with pytest.raises(ContractError, match=r"^RelativisticAverage\.g_loss must be given "):
        RelativisticAverage().g_loss(torch.zeros(3))
