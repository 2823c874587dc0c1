"""Input gradients against closed forms, the shapes they come in, and what cannot be differentiated."""

import pytest
import torch
from torch import Tensor

from steadygan.errors import ContractError
from steadygan.penalties.input_gradient import gradient_at, input_gradient, norm, squared_norm


def leaf(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype).requires_grad_()


def test_of_a_quadratic_critic() -> None:
    x, a = leaf(5, 3), torch.randn(3, 3, dtype=torch.float64)
    logits = 0.5 * torch.einsum("bi,ij,bj->b", x, a, x)
    expected = x @ (a + a.T) / 2
    assert torch.allclose(input_gradient(x, logits), expected)


@pytest.mark.parametrize("event", [(), (1,), (4,), (2, 3), (3, 4, 4)])
def test_one_flat_row_per_sample(event: tuple[int, ...]) -> None:
    x = leaf(6, *event)
    grad = input_gradient(x, x.square().reshape(6, -1).sum(1))
    assert torch.allclose(grad, 2 * x.reshape(6, -1))


def test_of_slices_of_one_pass_over_both_sides() -> None:
    real, fake = leaf(3, 4), leaf(3, 4)
    both = torch.cat([real, fake]).square().sum(1)
    assert torch.allclose(input_gradient(real, both[:3]), 2 * real)
    assert torch.allclose(input_gradient(fake, both[3:]), 2 * fake)


def test_points_attached_to_a_generator_keep_their_graph() -> None:
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    noise = torch.ones(2, 3, dtype=torch.float64)
    grad = gradient_at(scale * noise, lambda x: (x**3).sum(1))  # 3x² with x = scale
    (d_scale,) = torch.autograd.grad(grad.sum(), scale)
    assert d_scale.item() == pytest.approx(6 * 6 * 2.0)


def test_points_without_a_graph_are_left_alone() -> None:
    x = torch.randn(2, 3)
    gradient_at(x, lambda x: x.sum(1))
    assert not x.requires_grad


def test_half_precision_gradients_are_summed_in_float32() -> None:
    x = leaf(2, 70_000, dtype=torch.float16)
    grad = input_gradient(x, x.sum(1))
    assert grad.dtype == torch.float32
    assert squared_norm(grad, relative=False).tolist() == [70_000.0] * 2  # infinite in float16


@pytest.mark.parametrize("relative", [False, True])
def test_norms(relative: bool) -> None:
    grad = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert norm(grad, relative=relative).tolist() == [10.0 if relative else 5.0, 0.0]
    assert squared_norm(grad, relative=relative).tolist() == [100.0 if relative else 25.0, 0.0]


def test_norm_of_zero_has_zero_derivatives_of_both_orders() -> None:
    grad = torch.zeros(2, 3, requires_grad=True)
    (first,) = torch.autograd.grad(norm(grad, relative=False).sum(), grad, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), grad)
    assert first.tolist() == second.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("cut", ["detached", "constant", "not a leaf"])
def test_refuses_logits_that_do_not_depend_on_the_input(cut: str) -> None:
    x = leaf(2, 3)
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    logits = {
        "detached": x.detach().sum(1),
        "constant": weight.expand(2) * 1.0,
        "not a leaf": x.sum(1),
    }[cut]
    with pytest.raises(ContractError, match="got logits without a path to it; check D's forward"):
        input_gradient(x.detach() if cut == "not a leaf" else x, logits)
