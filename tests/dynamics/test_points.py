"""What kind of point a game stands at, how its Jacobian splits, and what a path into it looks like."""

import math

import numpy as np
import pytest
import torch

from steadygan.dynamics import (
    Bilinear,
    DiracGAN,
    Quadratic,
    decompose,
    equilibrium,
    flow,
    path_angle,
    phase_portrait,
)
from steadygan.errors import ConfigError
from steadygan.objectives import NonSaturating, Wasserstein
from steadygan.penalties import R1
from steadygan.updates import Alternating, Lookahead, Simultaneous


def quadratic(a: float, b: float, c: float, d: float | None = None) -> Quadratic:
    coupling = -b if d is None else d
    return Quadratic(torch.tensor([[a, b], [coupling, c]], dtype=torch.float64), 1)


@pytest.mark.parametrize(
    ("game", "kind"),
    [
        (quadratic(1.0, 3.0, 0.5), "differential Nash"),
        (Bilinear(2.0), "degenerate Nash"),
        (DiracGAN(Wasserstein(), [R1()]), "degenerate Nash"),
        (quadratic(-0.5, 3.0, 2.0), "stable but not Nash"),  # trace 1.5, determinant 8
        (quadratic(-2.0, 3.0, 0.5), "saddle"),
        (quadratic(-1.0, 0.1, 2.0), "saddle"),
    ],
)
def test_kinds_of_equilibrium(game: Quadratic, kind: str) -> None:
    found = equilibrium(game)
    assert found.kind == kind
    assert found.residual < 1e-12


def test_a_point_on_the_way_is_no_equilibrium() -> None:
    game = quadratic(1.0, 3.0, 0.5)
    found = equilibrium(game, game.at([1.0, 0.0]))
    assert found.kind == "not an equilibrium"
    assert math.isclose(found.residual, math.hypot(1, 3))
    assert found.curvature_g == (1.0, 1.0)
    assert found.curvature_d == (0.5, 0.5)


def test_flow_of_a_known_game() -> None:
    found = flow(quadratic(1.0, 2.0, 1.0))  # 1 ± 2i
    assert math.isclose(found.rotation, 2 / math.sqrt(5))
    assert math.isclose(found.euler_bound, 2 / 5)
    assert math.isclose(found.stiffness, 1.0)
    assert math.isclose(found.condition or 0, 1.0)  # a rotation and a scaling
    assert math.isclose(found.non_normality or 0, 0.0, abs_tol=1e-15)
    stiff = flow(quadratic(100.0, 0.0, 0.1, 0.0))
    assert math.isclose(stiff.stiffness, 1000)
    assert math.isclose(stiff.condition or 0, 1000)
    assert stiff.rotation == 0


def test_speeds_scale_the_players_rows() -> None:
    found = flow(quadratic(1.0, 0.0, 1.0, 0.0), lr_g=3.0, lr_d=0.5)
    assert sorted(found.eigenvalues.real.tolist()) == [0.5, 3.0]


def test_decomposition_into_potential_and_hamiltonian() -> None:
    game = quadratic(1.0, 5.0, 2.0, 1.0)
    parts = decompose(game)
    assert parts.s is not None
    assert parts.a is not None
    assert torch.allclose(parts.s + parts.a, game.jacobian)
    assert torch.equal(parts.s, parts.s.T)
    assert torch.equal(parts.a, -parts.a.T)
    assert math.isclose(parts.hamiltonian_share, 8 / (8 + 1 + 4 + 18))
    assert decompose(Bilinear(3.0)).hamiltonian_share == 1
    assert decompose(quadratic(1.0, 2.0, 1.0, 2.0)).hamiltonian_share == 0


def test_path_angle_tells_attraction_from_rotation() -> None:
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    home = torch.zeros(2, dtype=torch.float64)
    straight = path_angle(quadratic(1.0, 0.0, 1.0, 0.0), start, home)
    assert math.isclose(straight.attraction, 1.0)
    assert math.isclose(straight.turning, 0.0, abs_tol=1e-7)
    assert np.allclose(straight.cosine[straight.positions < 1], 1)
    circle = path_angle(Bilinear(1.0), start, home)
    assert math.isclose(circle.attraction, 0.0, abs_tol=1e-12)
    assert math.isclose(circle.turning, 1.0)
    spiral = path_angle(quadratic(1.0, 1.0, 1.0), start, home)
    assert math.isclose(spiral.attraction, math.sqrt(0.5), rel_tol=1e-9)
    repelled = path_angle(quadratic(-1.0, 0.0, -1.0, 0.0), start, home)
    assert math.isclose(repelled.attraction, -1.0)


def test_path_angle_bumps_beside_a_centre_that_was_missed() -> None:
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    end = torch.tensor([0.0, 0.1], dtype=torch.float64)
    found = path_angle(Bilinear(1.0), start, end, num=301)
    top = int(np.abs(found.cosine).argmax())
    assert abs(found.positions[top] - 1) < 0.05
    assert abs(found.cosine[top]) > 0.9
    assert abs(found.cosine[0]) < 0.2


def test_portrait_shows_the_steps_of_the_rule() -> None:
    rule, game = Alternating.on_paper(), DiracGAN(NonSaturating())
    found = phase_portrait(game, rule, lr_g=0.1, lr_d=0.2, reach=2.0, num=5, steps=30)
    assert (found.x_label, found.y_label) == ("G theta", "D psi")
    assert found.x.tolist() == [-2, -1, 0, 1, 2]
    x, y = 1.0, -2.0
    d = y - 0.2 * float(game.field(torch.tensor([x, y], dtype=torch.float64))[1])
    g = x - 0.1 * float(game.field(torch.tensor([x, d], dtype=torch.float64))[0])
    assert math.isclose(found.u[0, 3], g - x, rel_tol=1e-12)
    assert math.isclose(found.v[0, 3], d - y, rel_tol=1e-12)
    assert found.equilibrium == (0.0, 0.0)
    assert [len(path) for path in found.paths] == [31, 31, 31]
    out = phase_portrait(Bilinear(1.0), Simultaneous.on_paper(), lr_g=0.5, lr_d=0.5, steps=500)
    assert all(len(path) < 100 for path in out.paths)
    periodic = phase_portrait(Bilinear(1.0), Lookahead.on_paper(), lr_g=0.1, lr_d=0.1, num=3)
    assert np.isfinite(periodic.u).all()


def test_refuses() -> None:
    zero = torch.zeros(2, dtype=torch.float64)
    with pytest.raises(ConfigError, match="two different points"):
        path_angle(Bilinear(1.0), zero, zero)
    with pytest.raises(ConfigError, match="beyond the end"):
        path_angle(Bilinear(1.0), zero, zero + 1, beyond=0.0)
    with pytest.raises(ConfigError, match="reach > 0"):
        phase_portrait(Bilinear(1.0), Alternating.on_paper(), lr_g=0.1, lr_d=0.1, reach=0.0)
