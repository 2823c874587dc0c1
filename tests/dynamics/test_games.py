"""Games as flat fields: against Game.field, against formulas, and what they refuse."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from steadygan.dynamics import Bilinear, DiracGAN, FlatGame, GaussianGAN, NetworkGame, Quadratic
from steadygan.dynamics.games.offset import indifferent_logit
from steadygan.errors import SteadyganError
from steadygan.game import Game
from steadygan.networks import mlp
from steadygan.objectives import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from steadygan.penalties import R1, WGANGP
from steadygan.types import Batch


def networks(**options: object) -> tuple[Game, Batch]:
    g, d = mlp(3, 2, width=6, depth=2, **options)
    batch = Batch(torch.randn(8, 2), torch.randn(8, 3))
    return Game(g, d, NonSaturating(), [R1(0.5, every=4), WGANGP(0.3)]), batch


def test_the_field_is_that_of_the_game() -> None:
    game, batch = networks()
    flat = NetworkGame(game, batch, seed=5)
    found = flat.field(flat.start)
    for network in (game.g, game.d):
        network.double()
    game.penalties = (R1(0.5), WGANGP(0.3))
    torch.manual_seed(5)
    field = game.field(Batch(batch.x.double(), batch.z.double()), 0)
    expected = torch.cat([t.reshape(-1) for t in (*field.g, *field.d) if t is not None])
    assert torch.allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_analysing_leaves_the_game_and_the_generator_of_random_numbers_alone() -> None:
    game, batch = networks(g_norm="batch")
    before = [t.clone() for n in (game.g, game.d) for t in n.state_dict().values()]
    penalties, drawn = game.penalties, torch.random.get_rng_state()
    flat = NetworkGame(game, batch)
    first = flat.field(flat.start)
    assert torch.equal(flat.field(flat.start), first)
    after = [t for n in (game.g, game.d) for t in n.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert game.penalties is penalties
    assert torch.equal(torch.random.get_rng_state(), drawn)


def test_coordinates_have_their_parameters_names() -> None:
    game, batch = networks()
    flat = NetworkGame(game, batch)
    assert flat.label(0) == "G body.0.weight[0]"
    assert flat.label(flat.num_g + flat.num_d - 1) == "D last.bias"
    assert DiracGAN(Wasserstein()).label(1) == "D psi"


def test_dirac_field_is_the_papers() -> None:
    """v(θ, ψ) = (−ψ f'(θψ), θ f'(θψ)) with f' the logistic slope, here with the sign of a gradient."""
    theta, psi = 0.7, -1.3
    slope = 1 / (1 + math.exp(-theta * psi))
    found = DiracGAN(NonSaturating()).field(torch.tensor([theta, psi], dtype=torch.float64))
    assert math.isclose(found[0], -psi * (1 - slope), rel_tol=1e-12)
    assert math.isclose(found[1], theta * slope, rel_tol=1e-12)


@pytest.mark.parametrize("objective", [NonSaturating(), LeastSquares(), Relativistic()])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (-2.0, 0.5)])
def test_gaussian_rests_where_g_has_the_datas_moments(
    objective: NonSaturating, mean: float, std: float
) -> None:
    game = GaussianGAN(objective, [R1(0.1)], mean=mean, std=std)
    assert game.start.tolist() == [mean, std, 0.0, 0.0]
    assert float(game.field(game.start).abs().max()) < 1e-12
    away = game.start + torch.tensor([0.1, 0.0, 0.0, 0.0], dtype=torch.float64)
    assert float(game.field(away).abs().max()) > 1e-3


def test_gaussian_wasserstein_is_two_rotations() -> None:
    """∂/∂m E[w₁u] = w₁ and ∂/∂s E[w₂u²] = 2 w₂ s: speeds 1 and 2 at the standard normal."""
    game = GaussianGAN(Wasserstein())
    x = game.start.clone().requires_grad_()
    jacobian = torch.stack([torch.autograd.grad(f, x, retain_graph=True)[0] for f in game.field(x)])
    expected = torch.zeros(4, 4, dtype=torch.float64)
    expected[0, 2], expected[2, 0], expected[1, 3], expected[3, 1] = -1, 1, -2, 2
    assert torch.allclose(jacobian, expected, atol=1e-12)


def test_indifferent_logits() -> None:
    assert [indifferent_logit(o) for o in (NonSaturating(), Hinge(), Wasserstein())] == [0, 0, 0]
    assert math.isclose(indifferent_logit(LeastSquares()), 0.5, abs_tol=1e-12)


def test_losses_of_closed_form_games_have_their_fields() -> None:
    jacobian = torch.tensor([[1.0, 0.2, 2.0], [0.2, 0.5, -1.0], [-3.0, 1.0, 0.7]])
    for game in (Quadratic(jacobian, 2), Bilinear(torch.tensor([[1.0, 2.0]]))):
        x = torch.randn(3, dtype=torch.float64)
        at = game.point(x).attached()
        losses = game.losses(at)
        (g,) = torch.autograd.grad(losses.g, at.g, retain_graph=True)
        (d,) = torch.autograd.grad(losses.d, at.d)
        assert torch.allclose(torch.cat([g, d]), game.field(x), atol=1e-12)


class _Broken(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(float("nan")))

    def forward(self, x: Tensor) -> Tensor:
        return self.w * x[:, 0]


def _broken() -> FlatGame:
    game, batch = networks()
    return NetworkGame(Game(game.g, _Broken(), Wasserstein()), batch)


def _frozen() -> FlatGame:
    game, batch = networks()
    game.g.requires_grad_(False)
    return NetworkGame(game, batch)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bilinear(torch.ones(2, 2)), "full rank, got a singular one"),
        (lambda: Bilinear(math.nan), "must be finite, got nan at index 0"),
        (lambda: Bilinear(torch.ones(2)), "must have rows and columns"),
        (lambda: Bilinear(0.0), "full rank"),
        (lambda: Quadratic(torch.ones(2, 3), 1), "must be square"),
        (lambda: Quadratic(torch.eye(2), 2), r"num_g must be in \[1, 1\], got 2"),
        (lambda: Quadratic(torch.zeros(2, 2), 1), "singular"),
        (
            lambda: Quadratic(torch.tensor([[1.0, 2, 0], [0, 1, 0], [0, 0, 1]]), 2),
            "must be symmetric",
        ),
        (lambda: DiracGAN(Wasserstein(), noise=-1.0), r"noise must be >= 0"),
        (lambda: GaussianGAN(Wasserstein(), std=0.0), "std > 0"),
        (lambda: Bilinear(1.0).at([1.0]), "must have 2 coordinates"),
        (lambda: Bilinear(1.0).at([1.0, math.inf]), "must be finite, got inf at index 1"),
        (_broken, "the parameters of d, in w, must be finite"),
        (_frozen, "must have trainable parameters"),
    ],
)
def test_refuses(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SteadyganError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
