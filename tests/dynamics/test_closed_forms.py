"""Spectra against theory: bilinear games, and every row of the Dirac-GAN's table (Mescheder et al. 2018)."""

import cmath
import math

import numpy as np
import pytest
import torch

from steadygan import objectives, updates
from steadygan.dynamics import Bilinear, DiracGAN, FlatGame, analyse, flow, spectrum, stable_rates
from steadygan.objectives import Minimax, NonSaturating, Objective, Wasserstein
from steadygan.penalties import DRAGAN, LP, R1, R2, WGANGP, Penalty
from steadygan.updates import UpdateRule

EXACT = 1e-8
RATES = [(0.1, 0.1), (0.3, 0.05), (1.5, 0.9), (1e-3, 1e-3)]


def radius(game: FlatGame, rule: UpdateRule, lr_g: float, lr_d: float) -> float:
    return spectrum(game, rule, lr_g=lr_g, lr_d=lr_d).spectral_radius


def same(found: np.ndarray, expected: list[complex]) -> bool:
    def key(z: complex) -> tuple[float, float]:
        return round(z.real, 7), round(z.imag, 7)

    pairs = zip(sorted(found.tolist(), key=key), sorted(expected, key=key), strict=True)
    return all(abs(a - b) < EXACT for a, b in pairs)


# -- the bilinear game, eigenvalue s -----------------------------------------------------------------------


@pytest.mark.parametrize("s", [0.3, 1.0, -2.0])
@pytest.mark.parametrize(("a", "b"), RATES)
def test_bilinear_spectral_radius(s: float, a: float, b: float) -> None:
    game, turn = Bilinear(s), a * b * s * s
    assert math.isclose(
        radius(game, updates.Simultaneous.on_paper(), a, b), math.sqrt(1 + turn), abs_tol=EXACT
    )
    assert math.isclose(
        radius(game, updates.Implicit.on_paper(), a, b), 1 / math.sqrt(1 + turn), abs_tol=EXACT
    )
    # alternating: λ² − (2 − abs²) λ + 1 = 0
    half = 1 - turn / 2
    root = cmath.sqrt(half * half - 1)
    expected = max(abs(half + root), abs(half - root))
    assert math.isclose(radius(game, updates.Alternating.on_paper(), a, b), expected, abs_tol=EXACT)
    # extragradient: 1 − t + t², from 1 − hJ + (hJ)² with hJ = ±i√t
    assert math.isclose(
        radius(game, updates.Extragradient.on_paper(), a, b),
        math.sqrt((1 - turn) ** 2 + turn),
        abs_tol=EXACT,
    )
    # optimistic: λ² − (1 − 2it) λ − it = 0 at t = √(ab) s
    t = 1j * math.sqrt(turn)
    middle, spread = (1 - 2 * t) / 2, cmath.sqrt((1 - 2 * t) ** 2 / 4 + t)
    expected = max(abs(middle + spread), abs(middle - spread))
    assert math.isclose(radius(game, updates.Optimistic.on_paper(), a, b), expected, abs_tol=EXACT)


def test_alternating_orbits_up_to_four_and_diverges_beyond() -> None:
    rule = updates.Alternating.on_paper()
    for lr_g, lr_d in [(2.0, 2.0), (4.0, 1.0), (0.5, 0.5), (1e-4, 1e-4)]:
        found = spectrum(Bilinear(1.0), rule, lr_g=lr_g, lr_d=lr_d)
        assert found.verdict == "orbits"
        assert abs(found.spectral_radius - 1) < 1e-7
    assert spectrum(Bilinear(1.0), rule, lr_g=2.001, lr_d=2.001).verdict == "diverges"


@pytest.mark.parametrize("rate", [1.0, 1e-2, 1e-4, 1e-6])
def test_simultaneous_steps_diverge_however_small_the_rate(rate: float) -> None:
    game, rule = Bilinear(1.0), updates.Simultaneous.on_paper()
    assert spectrum(game, rule, lr_g=rate, lr_d=rate).verdict == "diverges"


@pytest.mark.parametrize(
    ("rule", "bound"),
    [
        (updates.Alternating, 2.0),
        (updates.Extragradient, 1.0),
        (updates.Optimistic, 1 / math.sqrt(3)),
        (updates.RungeKutta4, 2 * math.sqrt(2)),
        (updates.Simultaneous, 0.0),
        (updates.RungeKutta2, 0.0),
        (updates.Implicit, math.inf),
    ],
)
@pytest.mark.parametrize("s", [1.0, 5.0])
def test_largest_stable_rates_on_the_bilinear_game(
    rule: type[UpdateRule], bound: float, s: float
) -> None:
    found = stable_rates(Bilinear(s), rule.on_paper(), lr_g=1.0, lr_d=4.0)
    # The speeds of the players enter as their geometric mean.
    assert math.isclose(found.lr_g, bound / 2 / s, rel_tol=1e-6, abs_tol=0)
    assert math.isclose(found.lr_d, bound * 2 / s, rel_tol=1e-6, abs_tol=0)
    assert (found.none, found.unbounded) == (bound == 0, bound == math.inf)


def test_matrices_are_taken_apart_into_their_singular_values() -> None:
    matrix = torch.tensor([[1.0, 2.0, 0.5], [-1.0, 0.3, 2.0]], dtype=torch.float64)
    found = flow(Bilinear(matrix))
    sizes = [float(s) for s in torch.linalg.svdvals(matrix)]
    assert same(found.eigenvalues, [*(z * 1j for s in sizes for z in (s, -s)), 0j])


# -- the Dirac-GAN -----------------------------------------------------------------------------------------

# f'(0) of the paper's f for each objective: D's and G's pull at the equilibrium.
SLOPES: dict[Objective, float] = {
    Minimax(): 0.5,
    NonSaturating(): 0.5,
    Wasserstein(): 1.0,
}
GAMMA, SIGMA = 0.7, 0.8


def flow_of(game: FlatGame) -> np.ndarray:
    """In the paper's sign: eigenvalues of the vector field that the flow follows."""
    return -flow(game).eigenvalues


@pytest.mark.parametrize("objective", SLOPES, ids=lambda o: type(o).__name__)
def test_unregularised_rotates(objective: Objective) -> None:
    slope = SLOPES[objective]
    game = DiracGAN(objective)
    assert same(flow_of(game), [slope * 1j, -slope * 1j])  # lemma 2.3
    verdicts = [
        spectrum(game, rule.on_paper(), lr_g=0.1, lr_d=0.1).verdict
        for rule in (updates.Simultaneous, updates.Alternating)
    ]
    assert verdicts == ["diverges", "orbits"]


@pytest.mark.parametrize("objective", SLOPES, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("penalty", [R1(GAMMA), R2(GAMMA), R1(5.0)], ids=lambda p: f"{p}")
def test_zero_centred_penalties_damp(objective: Objective, penalty: Penalty) -> None:
    slope, half = SLOPES[objective], penalty.weight / 2
    root = cmath.sqrt(half**2 - slope**2)
    game = DiracGAN(objective, [penalty])
    assert same(flow_of(game), [-half + root, -half - root])  # lemma 3.5
    for rule in (updates.Simultaneous, updates.Alternating):
        assert spectrum(game, rule.on_paper(), lr_g=0.1, lr_d=0.1).verdict == "converges"


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()], ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("sigma", [SIGMA, 2.5])
def test_instance_noise_damps_where_the_objective_curves(
    objective: Objective, sigma: float
) -> None:
    bend = -0.25 * sigma**2  # f''(0) σ²
    root = cmath.sqrt(bend**2 - 0.25)
    game = DiracGAN(objective, noise=sigma)
    assert same(flow_of(game), [bend + root, bend - root])  # lemma 3.2
    assert spectrum(game, updates.Alternating.on_paper(), lr_g=0.1, lr_d=0.1).verdict == "converges"


def test_instance_noise_does_nothing_for_wasserstein() -> None:
    assert same(flow_of(DiracGAN(Wasserstein(), noise=SIGMA)), [1j, -1j])


@pytest.mark.parametrize("objective", SLOPES, ids=lambda o: type(o).__name__)
def test_consensus_damps(objective: Objective) -> None:
    slope, rate = SLOPES[objective], 0.1
    rule = updates.Consensus.on_paper(weight=GAMMA)
    found = spectrum(DiracGAN(objective), rule, lr_g=rate, lr_d=rate)
    expected = [-GAMMA * slope**2 + z * slope for z in (1j, -1j)]
    assert same(found.eigenvalues, [1 + rate * z for z in expected])
    assert found.verdict == "converges"


@pytest.mark.parametrize(
    ("penalty", "rule"),
    [
        (WGANGP(1.0), updates.Simultaneous),
        (WGANGP(1.0), updates.Extragradient),
        (DRAGAN(1.0), updates.Alternating),
    ],
)
def test_penalties_towards_slope_one_never_settle(penalty: Penalty, rule: type[UpdateRule]) -> None:
    found = analyse(DiracGAN(Wasserstein(), [penalty]), rule.on_paper(), lr_g=0.1, lr_d=0.1)
    assert found.jumps
    assert found.verdict == "orbits"
    assert found.stable.none


def test_one_sided_penalty_is_silent_at_the_equilibrium() -> None:
    assert same(flow_of(DiracGAN(Wasserstein(), [LP()])), [1j, -1j])


def test_weight_clipping_changes_nothing_inside_its_box() -> None:
    """The WGAN row: the clipped critic's field near the equilibrium is the unregularised one."""
    game = DiracGAN(Wasserstein())
    for rule, verdict in ((updates.Simultaneous, "diverges"), (updates.Alternating, "orbits")):
        assert spectrum(game, rule.on_paper(), lr_g=0.01, lr_d=0.01).verdict == verdict


@pytest.mark.parametrize("name", [n for n in objectives.__all__ if n != "Objective"])
def test_every_objective_rests_at_the_equilibrium_and_turns_there(name: str) -> None:
    game = DiracGAN(getattr(objectives, name)())
    assert float(game.field(game.start).abs().max()) < 1e-12
    found = flow(game).eigenvalues
    assert abs(found[0].imag) > 0.1
    assert abs(found[0].real) < 1e-9
