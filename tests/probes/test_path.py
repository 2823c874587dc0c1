"""The path cosine against closed forms: lines, circles, zigzags."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from steadygan import watch
from steadygan.probes.optimizer_hooks import PlayerGauge


class _Point(nn.Module):
    """Weights that are put where a path says, split over two parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.y = nn.Parameter(torch.zeros(1, dtype=torch.float64))


def _followed(
    path: Callable[[int], tuple[float, float]], *, num: int, every: int
) -> dict[int, float]:
    """The cosines of a player that walks along the path, by step, traced at every so many steps."""
    point = _Point()
    optimizer = torch.optim.SGD(point.parameters(), lr=0.1)
    gauge, found = PlayerGauge("g", point), {}

    def put(step: int) -> None:
        with torch.no_grad():
            for p, value in zip(point.parameters(), path(step), strict=True):
                p.fill_(value)
                p.grad = torch.ones_like(p)

    for step in range(1, num + 1):
        put(step - 1)
        traced = step % every == 0
        gauge.before(optimizer, traced=traced, iteration=step)
        put(step)
        after = gauge.after()
        if "path_cosine_g" in after:
            found[step] = float(torch.as_tensor(after["path_cosine_g"]))
    return found


def test_on_a_straight_line_it_is_one() -> None:
    found = _followed(lambda t: (1.0 + 2 * t, -0.5 * t), num=30, every=10)
    assert list(found) == [20, 30]
    assert list(found.values()) == pytest.approx([1.0, 1.0], abs=1e-6)


@pytest.mark.parametrize("turn", [0.02, 0.1, 0.3, 0.5])
def test_on_a_circle_it_is_that_of_half_the_arc(turn: float) -> None:
    found = _followed(lambda t: (math.cos(turn * t), math.sin(turn * t)), num=40, every=10)
    # Nine steps since the last trace and the one that is traced.
    assert list(found.values()) == pytest.approx([math.cos(5 * turn)] * 3, abs=1e-6)


def test_on_a_zigzag_it_is_minus_one() -> None:
    found = _followed(lambda t: (float(t % 2), 3.0), num=30, every=10)
    assert list(found.values()) == pytest.approx([-1.0, -1.0], abs=1e-6)


def test_a_player_that_stood_still_turned_nowhere() -> None:
    assert list(_followed(lambda t: (1.0, 1.0), num=30, every=10).values()) == [0.0, 0.0]


def test_broken_weights_do_not_accuse_the_path() -> None:
    found = _followed(lambda t: (math.nan, 1.0) if t > 15 else (1.0 * t, 1.0), num=30, every=10)
    assert list(found.values()) == [0.0, 0.0]


def test_a_layer_thawed_in_between_has_no_way_to_compare_with() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    gauge = PlayerGauge("d", network)
    signals = []
    for step in range(1, 5):
        if step == 3:
            network[0].requires_grad_(False)
        optimizer.zero_grad()
        network(torch.ones(3, 2)).sum().backward()
        gauge.before(optimizer, traced=True, iteration=step)
        optimizer.step()
        signals.append("path_cosine_d" in gauge.after())
    assert signals == [False, True, False, True]


def test_of_several_steps_in_an_iteration_the_first_is_compared() -> None:
    """Five critic steps: without care the way to the second one is none at all."""
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    opt_g = torch.optim.SGD(g.parameters(), lr=1e-3)
    opt_d = torch.optim.SGD(d.parameters(), lr=1e-3)
    real = torch.randn(256, 2)
    with watch(g, d, opt_g, opt_d, real=real, latent=torch.randn(64, 4), budget=None) as monitor:
        for _ in range(20):
            for optimizer in (*[opt_d] * 5, opt_g):
                optimizer.zero_grad()
                (d.weight.sum() + g.weight.sum()).backward()  # a constant gradient
                optimizer.step()
    for name in ("path_cosine_d", "path_cosine_g"):
        steps, values = monitor.record.measured(name)
        assert steps.tolist() == [10, 20]
        assert values.tolist() == pytest.approx([1.0, 1.0], abs=1e-3)


def test_sparse_gradients_have_a_path_of_dense_weights() -> None:
    table = nn.Embedding(6, 2, sparse=True)
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    gauge = PlayerGauge("g", table)
    for step in range(1, 4):
        optimizer.zero_grad()
        table(torch.tensor([step, step])).sum().backward()
        gauge.before(optimizer, traced=True, iteration=step)
        optimizer.step()
        found = gauge.after()
    assert abs(float(torch.as_tensor(found["path_cosine_g"]))) <= 1
