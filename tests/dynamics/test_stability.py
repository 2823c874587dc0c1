"""The largest stable rates that are predicted are those found by running the game, with the rules' real steps too."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steadygan.dynamics import (
    Bilinear,
    DiracGAN,
    FlatGame,
    GaussianGAN,
    Quadratic,
    StepMap,
    analyse,
    flow,
    observed_verdict,
    spectrum,
    stability_boundary,
    stable_rates,
)
from steadygan.dynamics.linear_twin import linear_twin
from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.objectives import NonSaturating, Wasserstein
from steadygan.penalties import R1
from steadygan.recipes.catalogue import catalogues
from steadygan.types import Batch, Gradient
from steadygan.updates import Alternating, Implicit, Point, RungeKutta2, Simultaneous, Unrolled

RULES = catalogues()["updates"]
UNBOUNDED = {"implicit", "competitive"}


def random_game(seed: int) -> Quadratic:
    rng = np.random.default_rng(seed)
    n, m = (int(k) for k in rng.integers(1, 4, 2))
    a, c = rng.standard_normal((n, n)), rng.standard_normal((m, m))
    b = rng.standard_normal((n, m))
    d = -b.T + 0.2 * rng.standard_normal((m, n))
    return Quadratic(torch.tensor(np.block([[0.3 * a @ a.T, b], [d, 0.5 * c @ c.T]])), n)


def grows(game: FlatGame, name: str, lr_g: float, lr_d: float) -> bool:
    """Run it: does the distance grow over the later half of a long run?"""
    step = StepMap(game, RULES[name].on_paper(), lr_g=lr_g, lr_d=lr_d)
    v = 1e-4 * torch.randn(len(step.start), dtype=torch.float64)
    # These games are linear: the step's values on unit vectors are all that running it needs.
    units = 1e-4 * torch.eye(len(v), dtype=torch.float64)
    matrix = torch.stack([step(u).detach() / 1e-4 for u in units], dim=1)
    assert torch.allclose(step(v).detach(), matrix @ v, atol=1e-10)
    sizes = []
    for _ in range(40):
        v = torch.linalg.matrix_power(matrix, 100) @ v
        sizes.append(float(v.norm()))
        if not 1e-200 < sizes[-1] < 1e200:
            return sizes[-1] > 1
    return sum(sizes[30:]) > sum(sizes[20:30])


@pytest.mark.parametrize("name", sorted(RULES))
def test_prediction_is_what_running_finds(name: str) -> None:
    for seed in (3, 8):
        game = random_game(seed)
        found = stable_rates(game, RULES[name].on_paper(), lr_g=1.0, lr_d=2.0, precision=1e-5)
        assert found.unbounded or found.lr_d == pytest.approx(2 * found.lr_g)
        if found.unbounded:
            assert name in UNBOUNDED
            assert not grows(game, name, 50.0, 100.0)
            continue
        assert not found.none
        assert not grows(game, name, 0.99 * found.lr_g, 0.99 * found.lr_d)
        assert grows(game, name, 1.01 * found.lr_g, 1.01 * found.lr_d)


class _Vector(nn.Module):
    """A player that is only its parameters."""

    def __init__(self, game: Quadratic, player: str) -> None:
        super().__init__()
        size = game.num_g if player == "g" else game.num_d
        self.w = nn.Parameter(1e-3 * torch.randn(size, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x


class _Played(Game):
    """A quadratic game in the clothes of a training game."""

    def __init__(self, flat: Quadratic) -> None:
        super().__init__(_Vector(flat, "g"), _Vector(flat, "d"), Wasserstein())
        self.flat = flat

    def gradient(self, player: str, batch: Batch, step: int, *, fake: Tensor | None = None):
        grads = self.flat(Point(self.g.w.detach(), self.d.w.detach()))
        own = grads.g if player == "g" else grads.d
        return Gradient([own], {}, own.norm(), torch.isfinite(own).all())

    def gradients(self, batch: Batch, step: int):
        return self.gradient("g", batch, step), self.gradient("d", batch, step)


@pytest.mark.parametrize("name", ["simultaneous", "alternating", "extragradient", "optimistic"])
def test_prediction_holds_for_real_steps_of_real_optimizers(name: str) -> None:
    flat = random_game(5)
    bound = stable_rates(flat, RULES[name].on_paper(), precision=1e-5).lr_g
    for share, ends_closer in ((0.97, True), (1.03, False)):
        torch.manual_seed(0)
        game = _Played(flat)
        rate = share * bound
        optimizers = (torch.optim.SGD([network.w], lr=rate) for network in (game.g, game.d))
        rule = RULES[name](*optimizers)
        batch = Batch(torch.zeros(1, 1), torch.zeros(1, 1))
        sizes = []
        for step in range(1, 601):
            rule.step(game, itertools.repeat(batch).__next__, step)
            sizes.append(float(torch.cat([game.g.w, game.d.w]).detach().norm()))
        assert (sum(sizes[450:]) < sum(sizes[300:450])) == ends_closer


def test_euler_bound_is_the_largest_rate_of_simultaneous_steps() -> None:
    for seed in range(4):
        game = random_game(seed)
        found = stable_rates(game, Simultaneous.on_paper(), lr_g=0.3, lr_d=0.7)
        bound = flow(game, lr_g=0.3, lr_d=0.7).euler_bound
        assert math.isclose(found.lr_g, 0.3 * bound, rel_tol=1e-5, abs_tol=1e-12)


def test_weak_damping_of_a_fast_rotation() -> None:
    """|1 − hλ| < 1 needs h < 2 Re λ / |λ|²: a bound far below the smallest step of the grid."""
    game = Quadratic(torch.tensor([[1e-5, 1.0], [-1.0, 1e-5]], dtype=torch.float64), 1)
    found = stable_rates(game, Simultaneous.on_paper())
    assert math.isclose(found.lr_g, 2e-5, rel_tol=1e-2)


def test_growth_by_a_high_power_of_the_rate_is_growth() -> None:
    assert stable_rates(Bilinear(3.0), RungeKutta2.on_paper()).none
    assert stable_rates(Bilinear(3.0), Implicit.on_paper()).unbounded


def test_islands_of_stability_are_found_from_inside() -> None:
    """A repelling flow that the unrolled D turns round, at large enough rates only."""
    game, rule = DiracGAN(NonSaturating()), Unrolled.on_paper()
    at = game.at([1.0, 2.0])
    found = analyse(game, rule, lr_g=0.1, lr_d=0.1, point=at)
    assert found.verdict == "converges"
    assert stable_rates(game, rule, lr_g=0.1, lr_d=0.1, point=at).none
    assert found.stable.lr_g > 0.1
    for share, verdict in ((0.99, "converges"), (1.01, "diverges")):
        rate = share * found.stable.lr_g
        assert spectrum(game, rule, lr_g=rate, lr_d=rate, point=at).verdict == verdict


def test_a_player_that_rests_has_rate_zero() -> None:
    game = Quadratic(torch.tensor([[2.0, 1.0], [-1.0, 1.0]]), 1)
    found = stable_rates(game, Simultaneous.on_paper(), lr_g=0.0, lr_d=1.0)
    assert (found.lr_g, round(found.lr_d, 5)) == (0.0, 2.0)


@pytest.mark.parametrize("name", sorted(RULES))
def test_linear_twins_have_the_games_own_steps(name: str) -> None:
    rule = RULES[name].on_paper()
    for game in (DiracGAN(NonSaturating(), [R1()]), GaussianGAN(NonSaturating())):
        twin = linear_twin(game, rule, game.start)
        if isinstance(rule, Unrolled):
            assert twin is None
            continue
        assert twin is not None
        whole = spectrum(game, rule, lr_g=0.3, lr_d=0.2).eigenvalues
        short = spectrum(twin, rule, lr_g=0.3, lr_d=0.2).eigenvalues
        assert all(np.abs(short - z).min() < 1e-6 for z in whole)
        assert abs(np.abs(whole).max() - np.abs(short).max()) < 1e-9


def test_no_twin_away_from_equilibrium() -> None:
    game = DiracGAN(NonSaturating())
    assert linear_twin(game, Alternating.on_paper(), game.at([0.1, 0.2])) is None


def test_boundary_curve_of_the_bilinear_game_is_a_hyperbola() -> None:
    found = stability_boundary(Bilinear(1.0), Alternating.on_paper(), num=5, widest=10.0)
    assert np.allclose(found.lr_g * found.lr_d, 4, rtol=1e-3)
    assert np.allclose(found.lr_d / found.lr_g, found.ratios)


@pytest.mark.parametrize(
    ("penalty", "rule", "verdict"),
    [
        ([R1()], Alternating, "converges"),
        ([], Alternating, "orbits"),
        ([], Simultaneous, "diverges"),
    ],
)
def test_running_says_what_the_spectrum_says(
    penalty: list[R1], rule: type[Alternating], verdict: str
) -> None:
    game = DiracGAN(Wasserstein(), penalty)
    step = StepMap(game, rule.on_paper(), lr_g=0.1, lr_d=0.1)
    assert observed_verdict(step) == verdict
    assert spectrum(game, rule.on_paper(), lr_g=0.1, lr_d=0.1).verdict == verdict


def test_refuses() -> None:
    rule = Simultaneous.on_paper()
    with pytest.raises(ConfigError, match="and not both 0, got"):
        stable_rates(Bilinear(1.0), rule, lr_g=0.0, lr_d=0.0)
    with pytest.raises(ConfigError, match="at most 400 parameters, got 402"):
        stable_rates(Bilinear(torch.eye(201)), rule)
    with pytest.raises(ConfigError, match=">= 2 rays"):
        stability_boundary(Bilinear(1.0), rule, num=1)
