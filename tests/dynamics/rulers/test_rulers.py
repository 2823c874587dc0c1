"""Closed forms against slow integrals, gradients against the theorems that name them, and the critics."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from steadygan.dynamics.rulers import Gaussians, Points, ShiftedPair, Uniforms, read_rulers
from steadygan.dynamics.rulers.critics import train_critics
from steadygan.dynamics.rulers.optimal import optimal_logits, pull_under_optimal
from steadygan.errors import ConfigError
from steadygan.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)

LOG_2 = math.log(2)
SHIFTS = torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64)


Density = Callable[[float], float]


def densities(pair: ShiftedPair, shift: float) -> tuple[Density, Density]:
    if isinstance(pair, Gaussians):
        return norm(0, pair.spread).pdf, norm(shift, pair.spread).pdf
    half = pair.spread / 2
    return (
        lambda x: float(abs(x) <= half) / pair.spread,
        lambda x: float(abs(x - shift) <= half) / pair.spread,
    )


def integral(function: Density, pair: ShiftedPair, shift: float) -> float:
    far = 12 * pair.spread
    edges = sorted({s * pair.spread / 2 + o for s in (-1, 1) for o in (0.0, shift)})
    return float(quad(function, -far, far + shift, points=edges, limit=400)[0])


@pytest.mark.parametrize("pair", [Gaussians(0.8), Uniforms(1.3)], ids=lambda p: p.name)
@pytest.mark.parametrize("shift", [0.3, 1.0, 2.5])
def test_rulers_are_their_integrals(pair: ShiftedPair, shift: float) -> None:
    p, q = densities(pair, shift)
    theta = torch.tensor([shift], dtype=torch.float64)

    def half(a: Density, b: Density) -> Density:
        return lambda x: a(x) * math.log(2 * a(x) / (a(x) + b(x))) if a(x) > 0 else 0.0

    slow = {
        "jensen_shannon": integral(half(p, q), pair, shift) / 2
        + integral(half(q, p), pair, shift) / 2,
        "total_variation": integral(lambda x: abs(p(x) - q(x)) / 2, pair, shift),
        "least_squares": integral(
            lambda x: (p(x) - q(x)) ** 2 / (p(x) + q(x)) if p(x) + q(x) > 0 else 0.0, pair, shift
        ),
    }
    if isinstance(pair, Gaussians):
        slow["kl"] = integral(
            lambda x: q(x) * (norm(shift, 0.8).logpdf(x) - norm(0, 0.8).logpdf(x)), pair, shift
        )
    for name, value in slow.items():
        assert float(getattr(pair, name)(theta)) == pytest.approx(value, abs=1e-7), name


@pytest.mark.parametrize("pair", [Gaussians(0.8), Uniforms(1.3), Points()], ids=lambda p: p.name)
def test_mmd_is_what_samples_say(pair: ShiftedPair) -> None:
    generator = torch.Generator().manual_seed(0)
    x, x2, y = (pair.draw(200_000, generator) for _ in range(3))
    y = y + 1.4

    def kernel(a: Tensor, b: Tensor) -> float:
        return float(torch.exp(-(a - b).square() / 2).mean())

    slow = 2 * kernel(x, x2) - 2 * kernel(x, y)
    closed = float(pair.mmd(torch.tensor([1.4], dtype=torch.float64)))
    assert closed == pytest.approx(slow, abs=5e-3)


def test_beyond_the_support_jensen_shannon_is_log_2_and_has_nothing_to_say() -> None:
    found = {r.name: r for r in read_rulers(Uniforms(), (1.5, 4.0, 100.0), objectives=[]).rulers}
    for name, most in (("jensen_shannon", LOG_2), ("total_variation", 1), ("least_squares", 2)):
        assert found[name].values.tolist() == [most] * 3
        assert found[name].slopes.tolist() == [0, 0, 0]
    assert np.isinf(found["kl"].values).all()
    assert found["wasserstein"].slopes.tolist() == [1, 1, 1]
    assert found["mmd"].slopes[2] == 0  # a kernel's reach ends, too


def slope(value: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    theta = at.clone().requires_grad_()
    return torch.autograd.grad(value(theta).sum(), theta)[0]


def test_minimax_under_the_optimal_d_descends_twice_jensen_shannon() -> None:
    """Goodfellow et al. (2014), theorem 1, and the envelope theorem."""
    pair = Gaussians(0.8)
    pull = pull_under_optimal(Minimax(), pair, SHIFTS)
    assert pull is not None
    assert pull.tolist() == pytest.approx((2 * slope(pair.jensen_shannon, SHIFTS)).tolist())


def test_non_saturating_under_the_optimal_d_descends_kl_minus_twice_jensen_shannon() -> None:
    """Arjovsky, Bottou (2017), arXiv 1701.04862, theorem 2.5."""
    pair = Gaussians(0.8)
    pull = pull_under_optimal(NonSaturating(), pair, SHIFTS)
    assert pull is not None
    theory = slope(pair.kl, SHIFTS) - 2 * slope(pair.jensen_shannon, SHIFTS)
    assert pull.tolist() == pytest.approx(theory.tolist())


def test_wasserstein_pulls_with_one_everywhere() -> None:
    for pair in (Gaussians(), Uniforms(), Points()):
        pull = pull_under_optimal(Wasserstein(), pair, SHIFTS)
        assert pull is not None
        assert pull.tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(
    "objective", [Minimax(), NonSaturating(), LeastSquares(), Hinge(), Relativistic()]
)
def test_optimal_logits_cannot_be_improved(objective: Objective) -> None:
    """Any change of D, however it is shaped, raises its loss: by random directions, pair by pair."""
    pair, shift = Gaussians(), torch.tensor(1.5, dtype=torch.float64)
    x = torch.linspace(-5, 6.5, 121, dtype=torch.float64)
    p, q = torch.exp(-x.square() / 2), torch.exp(-(x - shift).square() / 2)
    weights = (p / p.sum())[:, None] * (q / q.sum())

    def loss(logits: Tensor) -> float:
        n = len(x)
        each = objective.d_loss(logits.repeat_interleave(n), logits.repeat(n)).view(n, n)
        return float((weights * each).sum())

    best = optimal_logits(objective, pair, x, shift)
    assert best is not None
    for size in (0.3, 1e-3):
        for _ in range(20):
            assert loss(best + size * torch.randn_like(x)) > loss(best)


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating(), LeastSquares(), Relativistic()])
def test_where_supports_are_apart_the_optimal_d_pulls_nowhere(objective: Objective) -> None:
    for pair in (Uniforms(0.2), Points()):
        pull = pull_under_optimal(objective, pair, SHIFTS)
        assert pull is not None
        assert pull.tolist() == [0, 0, 0]
    assert pull_under_optimal(RelativisticAverage(), Uniforms(), SHIFTS) is None


def test_trained_critics_find_what_closed_forms_say() -> None:
    pair = Gaussians()
    at = torch.tensor([1.0, 2.0], dtype=torch.float64)
    trained = train_critics(Minimax(), pair, at, steps=200, batch=512)
    measured = LOG_2 - trained.loss_d / 2
    assert measured.tolist() == pytest.approx(pair.jensen_shannon(at).tolist(), abs=0.05)
    optimal = pull_under_optimal(Minimax(), pair, at)
    assert optimal is not None
    assert trained.pull.tolist() == pytest.approx(optimal.tolist(), rel=0.4)


def test_trained_on_disjoint_data_minimax_dies_and_wasserstein_does_not() -> None:
    found = read_rulers(
        Points(), (0.5, 3.0), objectives=[Minimax(), NonSaturating(), Wasserstein()], steps=150
    )
    minimax, non_saturating, wasserstein = found.pulls
    assert found.measured["jensen_shannon"].tolist() == pytest.approx([LOG_2] * 2, abs=0.02)
    assert found.measured["wasserstein"].tolist() == pytest.approx([0.5, 3.0], rel=0.5)
    assert np.abs(minimax.trained).max() < 0.1 < np.abs(wasserstein.trained).min()
    assert np.abs(non_saturating.trained).min() > 10 * np.abs(minimax.trained).max()
    assert (wasserstein.penalty, minimax.penalty) == ("lp", "")


def test_reading_repeats_and_leaves_randomness_alone() -> None:
    state = torch.get_rng_state()
    one, two = (read_rulers(shifts=[1.0], objectives=[Minimax()], steps=5) for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    assert one.to_json() == two.to_json()


def test_each_shift_is_trained_alone() -> None:
    """Also under an objective that takes means over its batch."""
    both = train_critics(RelativisticAverage(), Points(), torch.tensor([1.0, 1.0]), steps=0)
    assert both.loss_d[0] != both.loss_d[1]  # other first weights
    same = train_critics(Wasserstein(), Points(), torch.tensor([2.0]), steps=0)
    assert float(same.gap) == pytest.approx(-float(same.loss_d))


def test_json() -> None:
    tree = json.loads(read_rulers(shifts=[0.0, 2.0], steps=2).to_json())
    assert tree["schema"] == 1
    assert tree["rulers"]["kl"]["value"] == [0, None]
    assert [o["objective"] for o in tree["objectives"]][-1] == "relativistic_average"
    assert tree["objectives"][-1]["optimal"] is None
    assert len(tree["objectives"][0]["trained"]) == 2


@pytest.mark.parametrize("shifts", [[], [-1.0], [math.inf], [math.nan]])
def test_bad_shifts_are_refused(shifts: list[float]) -> None:
    with pytest.raises(ConfigError, match="shifts must be"):
        read_rulers(shifts=shifts)
    with pytest.raises(ConfigError, match="spread must be > 0"):
        Gaussians(0.0)
