"""Toy maps: the boundary that is played is the one that is predicted, and both are the closed form."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from steadygan.atlas.outcome_map import Scale
from steadygan.atlas.toys import Toy, ToySettings, toy_map
from steadygan.errors import ConfigError
from steadygan.objectives import Hinge, NonSaturating, Objective, Relativistic, Wasserstein
from steadygan.penalties import R1
from steadygan.recipes.axes import Axis
from steadygan.recipes.toys import map_toy

GAMES = [
    (objective, simultaneous)
    for objective in (Wasserstein(), NonSaturating(), Relativistic(), Hinge())
    for simultaneous in (True, False)
]
X = Scale("optimizer.lr", tuple(np.geomspace(3e-2, 4, 9)), log=True)
Y = Scale("penalties.r1.weight", tuple(np.linspace(0, 4, 9)))
HELD = ToySettings(weights=(0.0,), axes={"x": "both", "y": "0"})


def cells() -> tuple[Tensor, Tensor]:
    x, y = (torch.tensor(s.values, dtype=torch.float64) for s in (X, Y))
    grid = torch.meshgrid(x, y, indexing="xy")
    return grid[0].reshape(-1), grid[1].reshape(-1)


@pytest.mark.parametrize(("objective", "simultaneous"), GAMES)
def test_measured_is_predicted_within_a_cell(objective: Objective, simultaneous: bool) -> None:
    toy = Toy(objective, (R1(),), simultaneous=simultaneous)
    found = toy_map("dirac", {"it": toy}, HELD, X, Y, steps=800)
    stable = (toy.radius(*HELD.at(*cells())) < 1 - 1e-9).reshape(9, 9)
    assert 0.1 < stable.double().mean() < 0.9
    for i, j in itertools.product(range(9), range(9)):
        if (found.outcomes("it", i, j) == ("healthy",)) != bool(stable[i, j]):
            near = stable[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
            assert near.any(), (i, j)
            assert not near.all(), (i, j)


@pytest.mark.parametrize("simultaneous", [True, False])
def test_the_bilinear_game_with_a_penalty_is_predicted_too(simultaneous: bool) -> None:
    axes = Axis(X.key, X.values, log=True), Axis(Y.key, Y.values)
    rule = "simultaneous" if simultaneous else "alternating"
    found = map_toy("bilinear", *axes, settings=[f"update.rule={rule}"], steps=800)
    stable = (
        Toy(Wasserstein(), (R1(),), simultaneous=simultaneous).radius(*HELD.at(*cells())) < 1 - 1e-9
    ).reshape(9, 9)
    for i, j in itertools.product(range(9), range(9)):
        near = stable[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
        healthy = found.outcomes("wasserstein", i, j) == ("healthy",)
        assert bool(near.any()) if healthy else not near.all(), (i, j)


@pytest.mark.parametrize("simultaneous", [True, False])
def test_radius_is_the_closed_form(simultaneous: bool) -> None:
    """θ' = θ + ηψ, ψ' = ψ − η(θ + γψ), or θ' with the new ψ, for the Wasserstein Dirac-GAN with R1."""
    rate, weight = cells()
    toy = Toy(Wasserstein(), (R1(),), simultaneous=simultaneous)
    found = toy.radius(*HELD.at(rate, weight))
    for eta, gamma, radius in zip(rate, weight, found, strict=True):
        d = torch.tensor([[1.0, 0.0], [-eta, 1 - eta * gamma]], dtype=torch.float64)
        g = torch.tensor([[1.0, eta], [0.0, 1.0]], dtype=torch.float64)
        jacobian = g + d - torch.eye(2, dtype=torch.float64) if simultaneous else g @ d
        assert float(radius) == pytest.approx(
            float(torch.linalg.eigvals(jacobian).abs().max()), abs=1e-12
        )


def test_the_bilinear_game_never_settles() -> None:
    axes = Axis.parse("optimizer.g.lr=0.01:1:log:4"), Axis.parse("optimizer.d.lr=0.01:1:log:4")
    simultaneous = map_toy("bilinear", *axes, steps=1000)
    alternating = map_toy("bilinear", *axes, settings=["update.rule=alternating"], steps=1000)
    assert simultaneous.table()[0]["outcomes"]["healthy"] == 0
    assert alternating.table()[0]["outcomes"] == {
        "healthy": 0,
        "collapsed": 0,
        "oscillating": 16,
        "vanishing": 0,
        "exploded": 0,
    }
    assert simultaneous.curves == alternating.curves == ()


def test_the_curve_lies_on_the_closed_form() -> None:
    """Simultaneous steps with R1 lose stability where |λ|² = 1 − ηγ + η² = 1, that is at γ = η, for small rates."""
    axes = Axis.parse("optimizer.lr=0.05:0.4:8"), Axis.parse("penalties.r1.weight=0:1:8")
    found = map_toy("dirac", *axes, objectives=["wasserstein"], steps=10)
    assert len(found.curves) == 1
    np.testing.assert_allclose(found.curves[0].x, found.curves[0].y, rtol=1e-6)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("network.width", "key of a toy"),
        ("penalties.wgan_gp.weight", "penalties at the data or the samples"),
    ],
)
def test_refuses_what_a_toy_has_not(key: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        map_toy("dirac", Axis("optimizer.lr", (0.1,)), Axis(key, (0.1,)))
