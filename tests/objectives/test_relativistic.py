"""Relativistic: pairs by index, only differences count, both players mirror each other."""

import math

import pytest
import torch

from steadygan.errors import ContractError
from steadygan.objectives import Relativistic


def test_pairs_by_index() -> None:
    real, fake = [2.0, -1.0, 0.5], [1.0, 1.0, -4.0]
    d = [math.log(1 + math.exp(-(r - f))) for r, f in zip(real, fake, strict=True)]
    g = [math.log(1 + math.exp(-(f - r))) for r, f in zip(real, fake, strict=True)]
    r, f = torch.tensor(real).double(), torch.tensor(fake).double()
    assert Relativistic().d_loss(r, f).tolist() == pytest.approx(d, rel=1e-9)
    assert Relativistic().g_loss(f, r).tolist() == pytest.approx(g, rel=1e-9)


def test_only_differences_count() -> None:
    real, fake = torch.randn(2, 9, dtype=torch.float64)
    for loss in (Relativistic().d_loss, lambda r, f: Relativistic().g_loss(f, r)):
        assert torch.allclose(loss(real - 33, fake - 33), loss(real, fake))


def test_g_plays_d_with_the_sides_exchanged() -> None:
    real, fake = torch.randn(2, 9)
    assert torch.equal(Relativistic().g_loss(fake, real), Relativistic().d_loss(fake, real))


def test_asks_for_the_reals_in_one_line() -> None:
    with pytest.raises(ContractError, match=r"^Relativistic\.g_loss must be given .*, got None; "):
        Relativistic().g_loss(torch.zeros(3))
