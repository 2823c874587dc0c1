"""Every rule on the bilinear game against its closed form: the growth of one step, from the map's own Jacobian.

With L_g = s θφ = −L_d and rates a, b all that matters is μ = s √(ab). State is part of the map.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from updates.toys import bilinear

from steadygan.updates import (
    Alternating,
    Anchored,
    Competitive,
    Consensus,
    Extragradient,
    Implicit,
    Lookahead,
    NegativeMomentum,
    Optimistic,
    PastExtragradient,
    Point,
    Rates,
    RungeKutta2,
    RungeKutta4,
    Simultaneous,
    SymplecticAdjustment,
    Unrolled,
    UpdateRule,
)

SETTINGS = [(0.3, 0.3, 1.0), (0.1, 0.7, 2.0), (0.05, 0.02, 3.0), (1.5, 0.5, 1.0)]


def growth(rule: UpdateRule, a: float, b: float, s: float) -> float:
    """Spectral radius of one period at the equilibrium, per step."""
    field, rates = bilinear(s), Rates(a, b)
    zero = torch.zeros(1, dtype=torch.float64)
    state = rule.begin(field, Point(zero, zero))
    sizes = [1, 1, *map(len, state)]

    def run(whole: torch.Tensor) -> torch.Tensor:
        g, d, *memory = torch.split(whole, sizes)
        point, carried = Point(g, d), tuple(memory)
        for step in range(1, rule.period + 1):
            point, carried = rule.map(field, point, carried, rates, step)
        return torch.cat([point.g, point.d, *carried])

    whole = torch.cat([zero, zero, *state]).detach()
    matrix = torch.autograd.functional.jacobian(run, whole)
    return float(torch.linalg.eigvals(matrix).abs().max()) ** (1 / rule.period)


def root(*coefficients: complex) -> float:
    return float(np.abs(np.roots(coefficients)).max())


CLOSED: list[tuple[UpdateRule, Callable[[float], float]]] = [
    (Simultaneous.on_paper(), lambda m: math.sqrt(1 + m**2)),
    # λ² − (2 − μ²) λ + 1 = 0: on the unit circle up to μ = 2.
    (Alternating.on_paper(), lambda m: 1.0 if m <= 2 else root(1, m**2 - 2, 1)),
    (Implicit.on_paper(), lambda m: 1 / math.sqrt(1 + m**2)),
    (Competitive.on_paper(), lambda m: 1 / math.sqrt(1 + m**2)),
    (Extragradient.on_paper(), lambda m: math.sqrt(1 - m**2 + m**4)),
    (Optimistic.on_paper(), lambda m: root(1, -1 + 2j * m, -1j * m)),
    (PastExtragradient.on_paper(), lambda m: root(1, -1 + 2j * m, -1j * m)),
    (Optimistic.on_paper(weight=0.5), lambda m: root(1, -1 + 1.5j * m, -0.5j * m)),
    (RungeKutta2.on_paper(), lambda m: math.sqrt(1 + m**4 / 4)),
    (RungeKutta4.on_paper(), lambda m: math.sqrt(1 - m**6 / 72 + m**8 / 576)),
    (
        # (λ − 1)² (λ − β)² + μ² λ³ = 0 with β = −1/2
        NegativeMomentum.on_paper(),
        lambda m: root(1, m**2 - 1, -0.75, 0.5, 0.25),
    ),
    (
        Lookahead.on_paper(every=3),
        lambda m: abs(0.5 + 0.5 * np.exp(3j * math.acos(1 - m**2 / 2))) ** (1 / 3),
    ),
]


@pytest.mark.parametrize(("a", "b", "s"), SETTINGS)
@pytest.mark.parametrize(("rule", "closed"), CLOSED, ids=lambda x: type(x).__name__)
def test_growth(
    rule: UpdateRule, closed: Callable[[float], float], a: float, b: float, s: float
) -> None:
    assert growth(rule, a, b, s) == pytest.approx(closed(s * math.sqrt(a * b)), abs=1e-8)


def test_alternating_leaves_the_circle_beyond_two() -> None:
    assert growth(Alternating.on_paper(), 2.0, 2.0, 1.1) == pytest.approx(
        root(1, 2.2**2 - 2, 1), abs=1e-8
    )


@pytest.mark.parametrize("eta", [0.1, 0.5, 0.9])
def test_rules_whose_terms_are_not_scaled_by_the_rates(eta: float) -> None:
    s, weight = 1.3, 0.2
    contracted = abs(1 - eta * (1j * s + weight * s**2))
    assert growth(Consensus.on_paper(weight=weight), eta, eta, s) == pytest.approx(
        contracted, abs=1e-8
    )
    for align in (True, False):
        adjusted = SymplecticAdjustment.on_paper(weight=weight, align=align)
        assert growth(adjusted, eta, eta, s) == pytest.approx(contracted, abs=1e-8)
    unrolled = np.array([[1 - 2 * 4 * eta * 0.3 * s**2, -eta * s], [eta * s, 1]])
    assert growth(Unrolled.on_paper(steps=4, rate=0.3), eta, eta, s) == pytest.approx(
        np.abs(np.linalg.eigvals(unrolled)).max(), abs=1e-8
    )
    # anchor a and position w as complex numbers: a' = δa + (1 − δ)w, w' = w − η(i s w + γ(w − a'))
    keep = 0.9
    anchored = np.array(
        [
            [1 - eta * (1j * s + weight * keep), eta * weight * keep],
            [1 - keep, keep],
        ]
    )
    assert growth(Anchored.on_paper(weight=weight, decay=keep), eta, eta, s) == pytest.approx(
        np.abs(np.linalg.eigvals(anchored)).max(), abs=1e-8
    )
    kept_short = RungeKutta2.on_paper(weight=weight)
    heun = np.array([[1 - (eta * s) ** 2 / 2, -eta * s], [eta * s, 1 - (eta * s) ** 2 / 2]])
    heun[1, 1] -= 2 * eta * weight * s**2  # ∇_φ (s φ)²
    assert growth(kept_short, eta, eta, s) == pytest.approx(
        np.abs(np.linalg.eigvals(heun)).max(), abs=1e-8
    )


def test_where_the_docstrings_say_that_stability_ends() -> None:
    for rule, limit in (
        (Extragradient.on_paper(), 1.0),
        (Optimistic.on_paper(), 1 / math.sqrt(3)),
        (RungeKutta4.on_paper(), 2 * math.sqrt(2)),
        (NegativeMomentum.on_paper(), 1.0),
    ):
        assert growth(rule, limit - 1e-3, limit - 1e-3, 1.0) < 1
        assert growth(rule, limit + 1e-3, limit + 1e-3, 1.0) > 1
