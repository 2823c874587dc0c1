"""What every objective promises, over every exported one; a new one is tested with no edit here."""

import dataclasses
import inspect
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor

from steadygan import objectives
from steadygan.names import snake_case
from steadygan.objectives import LeastSquares, Minimax, Objective

PARTS = [part for part in map(vars(objectives).get, objectives.__all__) if part is not Objective]
EXTREME = (-1e4, -50.0, -1.0, 0.0, 1.0, 50.0, 1e4)

# LeastSquares pulls logits to its targets from both sides, so its losses fall towards a target only.
PULLS_BACK = {LeastSquares}
SATURATES = {Minimax}

every_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)


def losses(objective: Objective, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Both players' losses, G's with D's logits on reals where it needs them."""
    return (
        objective.d_loss(real, fake),
        objective.g_loss(fake, real if objective.needs_real_for_g else None),
    )


def gradients(objective: Objective, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the mean losses: D's in real and fake logits, G's in fake logits."""
    real, fake = real.detach().requires_grad_(), fake.detach().requires_grad_()
    d, g = losses(objective, real, fake)
    return (
        *torch.autograd.grad(d.mean(), (real, fake)),
        *torch.autograd.grad(g.mean(), fake),
    )


def grid() -> tuple[Tensor, Tensor]:
    """Every pairing of the extreme logits."""
    return torch.cartesian_prod(torch.tensor(EXTREME), torch.tensor(EXTREME)).unbind(1)


def test_something_is_covered() -> None:
    assert len(PARTS) >= 7


@every_part
def test_is_a_frozen_value(part: type[Objective]) -> None:
    objective = part()
    assert objective == part()
    assert hash(objective) == hash(part())
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.anything = 1.0


@every_part
def test_says_what_it_computes_and_where_from(part: type[Objective]) -> None:
    doc = inspect.getdoc(part)
    for needed in ("L_D = ", "L_G = ", "Cost: ", "Shape: ", "Source: ", "arXiv ", ">>> "):
        assert needed in doc, needed
    assert "use " in doc.lower()
    assert set(part.reading) == {"loss_d", "loss_g"}
    assert all(sentence.endswith(".") for sentence in part.reading.values())


@every_part
def test_has_a_test_file_of_its_own(part: type[Objective]) -> None:
    folder = Path(__file__).parents[1] / "objectives"
    assert (folder / f"test_{snake_case(part.__name__)}.py").is_file()


@every_part
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_value_per_sample_in_the_logits_dtype(
    part: type[Objective], dtype: torch.dtype
) -> None:
    for size in (1, 2, 7):
        real, fake = torch.randn(2, size, dtype=dtype)
        for loss in losses(part(), real, fake):
            assert loss.shape == (size,)
            assert loss.dtype == dtype


@every_part
def test_float32_agrees_with_float64_at_every_size_of_logit(part: type[Objective]) -> None:
    real, fake = grid()
    single, double = losses(part(), real, fake), losses(part(), real.double(), fake.double())
    for a, b in zip(single, double, strict=True):
        assert torch.allclose(a.double(), b, rtol=2e-6, atol=1e-7)


@every_part
def test_finite_at_extreme_logits(part: type[Objective]) -> None:
    real, fake = grid()
    for r, f in [(real, fake), *zip(real.split(1), fake.split(1), strict=True)]:
        for value in (*losses(part(), r, f), *gradients(part(), r, f)):
            assert torch.isfinite(value).all()


@every_part
def test_finite_in_second_order(part: type[Objective]) -> None:
    real, fake = (side.requires_grad_() for side in grid())
    for loss in losses(part(), real, fake):
        first = torch.autograd.grad(loss.sum(), fake, create_graph=True)[0]
        if first.requires_grad:
            (second,) = torch.autograd.grad(first.sum(), fake, allow_unused=True)
            assert second is None or torch.isfinite(second).all()


@every_part
def test_high_logits_mean_real(part: type[Objective]) -> None:
    """Where D errs on both sides it has somewhere to go; where it is right, G has."""
    d_real, d_fake, _ = gradients(part(), torch.full((3,), -5.0), torch.full((3,), 5.0))
    assert (d_real < 0).all()
    assert (d_fake > 0).all()
    _, _, g_fake = gradients(part(), torch.full((3,), 5.0), torch.full((3,), -5.0))
    assert (g_fake < 0).all()


@pytest.mark.parametrize("part", [part for part in PARTS if part not in PULLS_BACK])
def test_no_logit_is_ever_pushed_the_wrong_way(part: type[Objective]) -> None:
    d_real, d_fake, g_fake = gradients(part(), *grid())
    assert (d_real <= 0).all()
    assert (d_fake >= 0).all()
    assert (g_fake <= 0).all()


@every_part
def test_generator_learns_where_d_is_sure(part: type[Objective]) -> None:
    real, fake = torch.full((4,), 50.0), torch.full((4,), -50.0)
    _, _, g_fake = gradients(part(), real, fake)
    size = 4 * g_fake.abs()  # of the mean over four samples
    if part in SATURATES:
        assert (size < 1e-12).all()
    else:
        assert (size > 0.5).all()


@every_part
def test_batch_size_does_not_matter(part: type[Objective]) -> None:
    real, fake = 3 * torch.randn(2, 6, dtype=torch.float64)
    once = losses(part(), real, fake)
    thrice = losses(part(), real.repeat(3), fake.repeat(3))
    for a, b in zip(once, thrice, strict=True):
        assert torch.allclose(a.mean(), b.mean(), rtol=1e-12)


@every_part
def test_indifference_is_the_best_a_constant_can_do(part: type[Objective]) -> None:
    constants = torch.linspace(-4, 4, 801, dtype=torch.float64)
    loss = torch.stack([part().d_loss(c.expand(2), c.expand(2)).mean() for c in constants])
    if part().indifference is None:
        assert (
            loss.std() < 1e-12
        )  # no constant is better than another, and none has a value to lose
        assert loss.abs().max() < 1e-12
    else:
        assert loss.min().item() == pytest.approx(part().indifference, rel=1e-6)


@every_part
def test_reads_the_reals_for_g_exactly_where_it_says_so(part: type[Objective]) -> None:
    fake = torch.randn(4)
    a, b = torch.randn(2, 4)
    changed = not torch.equal(part().g_loss(fake, a), part().g_loss(fake, b))
    assert changed == part.needs_real_for_g


@every_part
def test_column_logits_are_refused(part: type[Objective]) -> None:
    """(b, 1) against (b,) would broadcast to (b, b) in silence; the shape annotations say so."""
    with pytest.raises(TypeCheckError, match=r"not the 1 expected"):
        part().d_loss(torch.zeros(3, 1), torch.zeros(3))
