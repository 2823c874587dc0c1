"""What Arnoldi iteration finds of a network's spectrum is what a dense solver finds."""

import importlib
from collections.abc import Callable

import numpy as np
import pytest
import torch

from steadygan.dynamics import NetworkGame, StepMap, decompose, equilibrium, flow, spectrum
from steadygan.dynamics.arnoldi import extreme_eigenvalues, extreme_eigenvalues_symmetric
from steadygan.dynamics.linearisation import Linearisation
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.game import Game
from steadygan.networks import mlp
from steadygan.objectives import NonSaturating
from steadygan.penalties import R1, Penalty
from steadygan.types import Batch
from steadygan.updates import Alternating, Optimistic, Simultaneous, UpdateRule


@pytest.fixture
def game() -> NetworkGame:
    torch.manual_seed(1)
    g, d = mlp(4, 2, width=11, depth=2)
    penalties: list[Penalty] = [R1(1.0)]
    batch = Batch(torch.randn(32, 2), torch.randn(32, 4))
    return NetworkGame(Game(g, d, NonSaturating(), penalties), batch)


@pytest.fixture
def dense_up_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    names = ("flow", "spectrum", "equilibrium", "decomposition")
    modules = [importlib.import_module(f"steadygan.dynamics.{name}") for name in names]

    def limit(num: int) -> None:
        for module in modules:
            monkeypatch.setattr(module, "DENSE", num)

    return limit


@pytest.mark.parametrize("rate", [0.1, 1e-3])
@pytest.mark.parametrize("rule", [Simultaneous, Alternating, Optimistic])
def test_top_eigenvalues(
    game: NetworkGame, dense_up_to: Callable[[int], None], rule: type[UpdateRule], rate: float
) -> None:
    dense_up_to(10)
    found = spectrum(game, rule.on_paper(), lr_g=rate, lr_d=rate, num=6)
    assert not found.complete
    step = StepMap(game, rule.on_paper(), lr_g=rate, lr_d=rate).linearised()
    exact = np.linalg.eigvals(step.dense().numpy())
    sizes = np.sort(np.abs(exact + 1))[::-1]
    k = len(found.eigenvalues)
    longest = np.abs(exact).max()
    assert np.abs(np.abs(found.eigenvalues) - sizes[:k]).max() < 1e-5 * longest
    assert max(np.abs(exact - (z - 1)).min() for z in found.eigenvalues) < 1e-5 * longest


def test_flow_equilibrium_and_decomposition(
    game: NetworkGame, dense_up_to: Callable[[int], None]
) -> None:
    dense_up_to(10**4)
    all_of, kind, parts = flow(game), equilibrium(game), decompose(game)
    dense_up_to(10)
    rims, free, estimate = flow(game), equilibrium(game), decompose(game, num_draws=200)
    scale = float(np.abs(all_of.eigenvalues).max())
    for rim in (np.abs, np.real, lambda z: -np.real(z)):
        assert abs(rim(rims.eigenvalues).max() - rim(all_of.eigenvalues).max()) < 1e-5 * scale
    assert free.kind == kind.kind
    for found, exact in (
        (free.curvature_g, kind.curvature_g),
        (free.curvature_d, kind.curvature_d),
    ):
        assert np.allclose(found, exact, atol=1e-5 * scale)
    assert abs(estimate.hamiltonian_share - parts.hamiltonian_share) < 0.05


def test_rims_of_a_known_matrix() -> None:
    values = torch.linspace(-3, 5, 60, dtype=torch.float64)
    for solve in (extreme_eigenvalues, extreme_eigenvalues_symmetric):
        top = solve(lambda v: values * v, 60, 2, rim="most positive")
        low = solve(lambda v: values * v, 60, 1, rim="most negative")
        assert np.allclose(np.real(top[:2]), [5, 5 - 8 / 59], atol=1e-6)
        assert abs(low[0] + 3) < 1e-6


def test_refuses() -> None:
    with pytest.raises(ConfigError, match=r"num must be in \[1, 8\] for 10 unknowns, got 9"):
        extreme_eigenvalues(lambda v: v, 10, 9)
    with pytest.raises(NonFiniteError, match="must be finite"):
        extreme_eigenvalues(lambda v: v / 0, 10, 2)


def test_products_do_not_form_a_matrix(game: NetworkGame) -> None:
    local = Linearisation(game.field, game.start)
    v = torch.randn(len(game.start), dtype=torch.float64)
    nearby = game.field(game.start + 1e-6 * v) - game.field(game.start - 1e-6 * v)
    assert torch.allclose(local.times(v), nearby / 2e-6, rtol=1e-4, atol=1e-6)
