"""Exact and sliced Wasserstein: all permutations, closed forms, scipy, POT, intervals, degenerate sets."""

import itertools

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import sliced_wasserstein, transport, wasserstein
from steadygan.metrics.transport import transport_cost


@pytest.fixture(autouse=True)
def _choose_edges_of_small_sets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_FEW", 0)
    monkeypatch.setattr(transport, "_EDGES", 4)


def test_against_all_permutations() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        y, x = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
        apart = np.linalg.norm(y[:, None] - x, axis=2)
        for p in (1, 2):
            best = min(
                np.mean([apart[i, j] ** p for i, j in enumerate(order)])
                for order in itertools.permutations(range(6))
            )
            assert float(wasserstein(y, x, p=p)) == pytest.approx(best ** (1 / p), rel=1e-9)


@pytest.mark.parametrize("kind", ["gauss", "clusters", "far", "grid", "tiny", "same"])
def test_the_start_changes_no_optimum(kind: str) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    g = torch.Generator().manual_seed(0)
    y, x = (torch.randn(150, 2, generator=g, dtype=torch.float64) for _ in range(2))
    if kind == "clusters":
        y, x = y * 1e-3 + torch.randint(0, 2, (150, 1)) * 50, x * 1e-3
    y, x = {
        "far": (y + 1e6, x),
        "grid": (y.round(), x.round()),
        "tiny": (y * 1e-150, x * 1e-150),
        "same": (x * 0, x * 0),
    }.get(kind, (y, x))
    cost = torch.cdist(y, x, compute_mode="donot_use_mm_for_euclid_dist")
    expected = float(cost[optimize.linear_sum_assignment(cost.numpy())].mean())
    for sparse in (True, False):
        assert transport_cost(cost, sparse=sparse) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(30, 60), (31, 17), (40, 23), (1, 7)])
def test_unequal_counts_against_the_linear_programme(n: int, m: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    cost = torch.rand(n, m, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    rows = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    done = optimize.linprog(
        cost.numpy().ravel(),
        A_eq=np.vstack(rows),
        b_eq=np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)]),
    )
    for sparse in (True, False):
        assert transport_cost(cost, sparse=sparse) == pytest.approx(done.fun, rel=1e-9)


def test_bad_prices_cost_no_exactness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_EDGES", 1)
    monkeypatch.setattr(
        transport, "prices", lambda c: (c.new_zeros(c.shape[0]), c.new_zeros(c.shape[1]))
    )
    cost = torch.rand(70, 90, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert transport_cost(cost) == pytest.approx(transport_cost(cost, sparse=False), rel=1e-12)


def test_against_pot() -> None:
    ot = pytest.importorskip("ot")
    y, x = np.random.default_rng(0).normal(size=(2, 120, 5))
    for a, b in ((y + 0.3, x), (y[:70] + 0.3, x)):
        cost = ot.dist(a, b)
        theirs = ot.emd2(np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b)), cost) ** 0.5
        assert float(wasserstein(a, b)) == pytest.approx(theirs, rel=1e-6)
    sliced = ot.sliced_wasserstein_distance(y + 0.3, x, n_projections=4000, seed=0)
    ours = sliced_wasserstein(y + 0.3, x, directions=4000, seed=1)
    assert float(ours) == pytest.approx(sliced, rel=0.05)  # other lines


def test_the_line_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    y, x = np.random.default_rng(0).normal(size=70) * 2, np.random.default_rng(1).normal(size=110)
    expected = stats.wasserstein_distance(y, x)
    assert float(wasserstein(y[:, None], x[:, None], p=1)) == pytest.approx(expected, rel=1e-9)
    found = sliced_wasserstein(y[:, None], x[:, None], p=1)  # one dimension has one line
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_a_shift_in_closed_form() -> None:
    x = torch.randn(300, 4, dtype=torch.float64)
    shift = torch.tensor([1.0, -2.0, 0.5, 3.0]).double()
    assert float(wasserstein(x + shift, x)) == pytest.approx(float(shift.norm()), rel=1e-9)
    found = sliced_wasserstein(x + shift, x, directions=20_000)
    assert float(found) == pytest.approx(float(shift.norm()) / 2, rel=0.02)
    assert found.interval is not None
    assert found.interval[0] < float(shift.norm()) / 2 < found.interval[1]


@pytest.mark.parametrize("metric", [wasserstein, sliced_wasserstein])
def test_intervals_cover(metric) -> None:  # type: ignore[no-untyped-def]
    results = []
    for seed in range(60):
        g = torch.Generator().manual_seed(seed)
        fake, real = torch.randn(80, 2, generator=g) + 0.7, torch.randn(80, 2, generator=g)
        results.append(metric(fake, real))
    mean = np.mean([float(one) for one in results])
    inside = np.mean([one.interval[0] <= mean <= one.interval[1] for one in results])
    assert inside > 0.95 - 4.5 * (0.95 * 0.05 / 60) ** 0.5


@pytest.mark.parametrize("metric", [wasserstein, sliced_wasserstein])
def test_degenerate(metric) -> None:  # type: ignore[no-untyped-def]
    x = torch.randn(50, 3)
    for y in (x.clone(), x[torch.randperm(50)]):
        found = metric(y, x)
        assert 0 <= float(found) < 1e-6
        assert "same samples" in found.warnings[0]
    one = metric(torch.zeros(1, 3), torch.tensor([[0.0, 3, 4]]))
    assert one.interval is None
    assert float(metric(torch.ones(9, 3), torch.ones(9, 3))) == 0.0
    with pytest.raises(ConfigError, match="p must be 1 or 2, got 3"):
        metric(x, x, p=3)
    with pytest.raises(DataError, match="fake must be finite"):
        metric(x / 0 * 0, x)
    assert metric(x + 1, x) == metric(x + 1, x)


def test_sliced_refuses_too_few_lines() -> None:
    with pytest.raises(ConfigError, match="directions must be >= 2, got 1"):
        sliced_wasserstein(torch.randn(5, 2), torch.randn(5, 2), directions=1)
