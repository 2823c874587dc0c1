"""Products with the field's Jacobian, and solutions by products alone, against dense matrices."""

import pytest
import torch
from updates.toys import dirac, jacobian, quadratic

from steadygan.updates import GameField, Linearised, Point
from steadygan.updates.solve import gmres, inverse


def test_products_against_the_dense_jacobian() -> None:
    for field in (quadratic(3, 2, seed=1), GameField(*dirac())):
        size = (3, 2) if not isinstance(field, GameField) else (2, 2)
        at = Point(torch.randn(size[0]).double(), torch.randn(size[1]).double())
        dense = jacobian(field, at)
        here = Linearised(field, at)
        along = Point(torch.randn(size[0]).double(), torch.randn(size[1]).double())
        torch.testing.assert_close(here.times(along).vector, dense @ along.vector)
        torch.testing.assert_close(here.transposed(along).vector, dense.T @ along.vector)
        torch.testing.assert_close(here.value.vector, field(at).vector)
        mixed = dense[: size[0], size[0] :]
        torch.testing.assert_close(here.g_in_d.times((along.d,))[0], mixed @ along.d)
        torch.testing.assert_close(here.g_in_d.transposed((along.g,))[0], mixed.T @ along.g)
        assert not here.times(along).requires_grad


def test_gradients_are_partial_where_one_player_was_computed_from_the_other() -> None:
    field = quadratic(2, 2, seed=3)
    theta = torch.randn(2).double().requires_grad_()
    phi = 2 * theta + 1
    joined = field(Point(theta, phi))
    apart = field(Point(theta.detach(), phi.detach()))
    torch.testing.assert_close(joined.vector.detach(), apart.vector)


@pytest.mark.parametrize("num", [1, 4, 12])
def test_gmres_and_its_derivative(num: int) -> None:
    matrix = torch.eye(num).double() * 2 + torch.randn(num, num).double() / num**0.5
    rhs = torch.randn(num).double().requires_grad_()

    def solved(r: torch.Tensor) -> torch.Tensor:
        return inverse(r, lambda x: matrix @ x, lambda x: matrix.T @ x, 0.0, num)

    torch.testing.assert_close(solved(rhs), torch.linalg.solve(matrix, rhs))
    dense = torch.autograd.functional.jacobian(solved, rhs.detach())
    torch.testing.assert_close(dense, torch.linalg.inv(matrix))


def test_gmres_stops_early_and_survives_what_cannot_be_solved() -> None:
    count = 0

    def apply(x: torch.Tensor) -> torch.Tensor:
        nonlocal count
        count += 1
        return x * torch.linspace(1, 1.1, 50).double()

    rhs = torch.randn(50).double()
    found = gmres(apply, rhs, tolerance=1e-3, iterations=50)
    assert float((apply(found) - rhs).norm()) <= 1e-3 * float(rhs.norm())
    assert count < 8
    assert float(gmres(apply, 0 * rhs, tolerance=1e-3, iterations=5).abs().max()) == 0
    singular = gmres(lambda x: 0 * x, rhs, tolerance=1e-3, iterations=5)
    assert bool(torch.isfinite(singular).all())
    assert bool(gmres(lambda x: x * float("nan"), rhs, tolerance=1e-3, iterations=5).isnan().any())


def test_field_of_a_game_leaves_no_trace_and_is_one_function_under_a_seed() -> None:
    from steadygan.game import Game
    from steadygan.networks import mlp
    from steadygan.objectives import NonSaturating
    from steadygan.types import Batch

    g, d = mlp(4, 2, width=8, depth=2, g_norm="batch", d_dropout=0.5, d_norm="spectral")
    game = Game(g, d, NonSaturating())
    batch = Batch(torch.randn(8, 2), torch.randn(8, 4))
    before = {k: v.clone() for n in (g, d) for k, v in n.state_dict().items()}
    field = GameField(game, batch, seed=3)
    generator = torch.get_rng_state()
    first = field(field.point)
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.equal(first.vector, field(field.point).vector)
    after = {k: v for n in (g, d) for k, v in n.state_dict().items()}
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert all(p.grad is None for n in (g, d) for p in n.parameters())
    torch.manual_seed(3)
    own = game.gradient("d", batch, 1)
    assert own.norm > 0
