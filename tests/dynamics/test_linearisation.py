"""Jacobian products against dense Jacobians, and what cannot be differentiated."""

import pytest
import torch
from torch import Tensor, nn

from steadygan.dynamics import DiracGAN, Linearisation, NetworkGame, analyse, has_jump, spectrum
from steadygan.errors import ContractError, SteadyganError
from steadygan.game import Game
from steadygan.networks import mlp
from steadygan.objectives import NonSaturating, Wasserstein
from steadygan.penalties import R1, WGANGP
from steadygan.types import Batch
from steadygan.updates import Simultaneous


def test_products_are_those_of_the_dense_jacobian() -> None:
    mix = torch.randn(3, 4, dtype=torch.float64)
    x = torch.randn(4, dtype=torch.float64)

    def function(v: Tensor) -> Tensor:
        return (mix @ v).sin() * v[0]

    expected = torch.autograd.functional.jacobian(function, x)
    local = Linearisation(function, x)
    assert torch.equal(local.value, function(x))
    assert torch.allclose(local.dense(), expected, atol=1e-14)
    v, u = torch.randn(4, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    assert torch.allclose(local.times(v), expected @ v, atol=1e-14)
    assert torch.allclose(local.times(v), expected @ v, atol=1e-14)  # the graphs are kept
    assert torch.allclose(local.transposed_times(u), expected.T @ u, atol=1e-14)


def test_linear_and_constant_maps() -> None:
    x = torch.ones(2, dtype=torch.float64)
    assert Linearisation(lambda v: 3 * v, x).times(x).tolist() == [3, 3]
    assert Linearisation(lambda v: v * 0 + 1, x).times(x).tolist() == [0, 0]


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: object, grad: Tensor) -> Tensor:
        return 2 * grad


class _WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        return 2 * ctx.saved_tensors[0].detach() * grad


class _Odd(nn.Module):
    def __init__(self, function: type[torch.autograd.Function]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(self.weight * x).sum(1)


@pytest.mark.parametrize("function", [_Once, _WrongBackward])
def test_a_game_that_is_not_differentiable_twice_is_refused(
    function: type[torch.autograd.Function],
) -> None:
    g, _ = mlp(2, 2, width=4, depth=1)
    batch = Batch(torch.randn(6, 2), torch.randn(6, 2))
    game = NetworkGame(Game(g, _Odd(function), NonSaturating()), batch)
    with pytest.raises(ContractError, match="must be differentiable twice") as caught:
        spectrum(game, Simultaneous.on_paper(), lr_g=0.1, lr_d=0.1)
    assert "\n" not in str(caught.value)


def test_jumps_are_told_from_slopes() -> None:
    rest = DiracGAN(Wasserstein()).start
    away = torch.tensor([0.3, -0.4], dtype=torch.float64)
    assert has_jump(DiracGAN(Wasserstein(), [WGANGP()]), rest)
    assert not has_jump(DiracGAN(Wasserstein(), [WGANGP()]), away)
    assert not has_jump(DiracGAN(Wasserstein(), [R1(1e6)]), rest)
    assert not has_jump(DiracGAN(NonSaturating()), away)


@pytest.mark.parametrize(("lr_g", "lr_d"), [(-0.1, 0.1), (0.1, float("nan")), (float("inf"), 1.0)])
def test_rates_out_of_range_are_refused(lr_g: float, lr_d: float) -> None:
    for ask in (spectrum, analyse):
        with pytest.raises(SteadyganError, match="must be >= 0 and finite, got"):
            ask(DiracGAN(Wasserstein()), Simultaneous.on_paper(), lr_g=lr_g, lr_d=lr_d)
