"""Screening in low precision gives what float64 gives, whatever the points look like."""

import numpy as np
import pytest
import torch

from steadygan.metrics import manifolds, neighbours, screening, shortlist
from steadygan.metrics.manifold import counted
from steadygan.metrics.neighbours import close_pairs, nearest, neighbour_radii, neighbours_at
from steadygan.metrics.points import same_samples
from steadygan.metrics.screening import blocks, both_screened

KINDS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def points(kind: str, n: int, d: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    if kind == "clusters":  # distances tiny against the norms: nothing but doubt in low precision
        return x * 1e-4 + torch.randint(0, 3, (n, 1), generator=g) * 10.0
    if kind == "copies":
        return torch.cat([x[: n // 2], x[:1].repeat(n - n // 2, 1)])
    if kind == "whole":
        return (x * 2).round()
    if kind == "far":
        return x.double() + 1e4  # type: ignore[no-any-return]  # torch types arithmetic so
    if kind == "tails":
        return x / torch.rand(n, 1, generator=g).clamp(min=1e-3)
    return x


def exact(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.stack([(b.double() - one.double()).square().sum(1).sqrt() for one in a])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "_BLOCK", 64)
    monkeypatch.setattr(neighbours, "_SPARE", 6)


@pytest.mark.parametrize("precision", KINDS, ids=str)
@pytest.mark.parametrize("kind", ["gauss", "clusters", "copies", "whole", "far", "tails"])
def test_neighbours_are_those_of_float64(kind: str, precision: torch.dtype) -> None:
    a, b = points(kind, 150, 90), points(kind, 130, 90, seed=1)
    within = exact(a, a).fill_diagonal_(torch.inf).sort(dim=1).values
    found = neighbours_at(a, None, (1, 3, 5), kind=precision)
    np.testing.assert_allclose(found.distances, within[:, [0, 2, 4]], rtol=1e-7, atol=1e-9)
    between = exact(a, b)
    found = neighbours_at(a, b, (1, 2), kind=precision)
    np.testing.assert_allclose(
        found.distances, between.sort(dim=1).values[:, :2], rtol=1e-7, atol=1e-9
    )
    named = between.gather(1, found.rows)
    np.testing.assert_allclose(named, found.distances, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("precision", KINDS, ids=str)
@pytest.mark.parametrize("kind", ["gauss", "clusters", "whole", "far", "tails"])
def test_balls_are_those_of_float64(kind: str, precision: torch.dtype) -> None:
    y, x = points(kind, 150, 90), points(kind, 130, 90, seed=1)
    p, q = both_screened(y, x, precision)
    r_x, r_y = neighbour_radii(q, (3, 5)), neighbour_radii(p, (3,))
    apart = exact(y, x)
    counts = [0, 0, 0, 0]
    for pairs in close_pairs(p, q, r_x, r_y):
        counts[0] += int(pairs.in_real[:, 0].sum())
        counts[1] += int(pairs.in_real[:, 1].sum())
        counts[2] += int(pairs.inner_real[:, 1].sum())
        counts[3] += int(pairs.in_fake[:, 0].sum())
    expected = [apart <= r_x[:, 0], apart <= r_x[:, 1], apart < r_x[:, 1], apart <= r_y]
    assert counts == [int(one.sum()) for one in expected]


@pytest.mark.parametrize("kind", ["gauss", "clusters", "copies", "whole", "tails"])
@pytest.mark.parametrize("sparse", [1 / 16, 0.5])
def test_short_distances_are_found_group_by_group(
    kind: str, sparse: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several groups a block, a block that is no multiple of them, and both ways of sorting in."""
    monkeypatch.setattr(screening, "_BLOCK", 170)
    monkeypatch.setattr(neighbours, "_SPARE", 2)
    monkeypatch.setattr(shortlist, "_GROUPS", 20)
    monkeypatch.setattr(shortlist, "_SPARSE", sparse)
    a, b = points(kind, 400, 90), points(kind, 390, 90, seed=1)
    within = exact(a, a).fill_diagonal_(torch.inf).sort(dim=1).values
    found = neighbours_at(a, None, (1, 4), kind=torch.float16)
    np.testing.assert_allclose(found.distances, within[:, [0, 3]], rtol=1e-7, atol=1e-9)
    between = exact(a, b).sort(dim=1).values
    found = neighbours_at(a, b, (1, 4), kind=torch.float16)
    np.testing.assert_allclose(found.distances, between[:, [0, 3]], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", ["gauss", "clusters", "whole", "collapsed"])
@pytest.mark.parametrize("many", [0.0, 1.0])
def test_doubt_is_settled_alike_one_by_one_and_by_a_finer_product(
    kind: str, many: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_MANY_PAIRS", many)
    monkeypatch.setattr(neighbours, "_MANY_ROWS", many)
    y, x = points(kind, 150, 90) * 0.9, points(kind, 130, 90, seed=1)
    if kind == "collapsed":
        y = x[7] + 1e-3 * y
    apart, within_y, within_x = exact(y, x), exact(y, y), exact(x, x)
    r_y = within_y.fill_diagonal_(torch.inf).kthvalue(3, dim=1).values
    r_x = within_x.fill_diagonal_(torch.inf).sort(dim=1).values[:, [2, 4]]
    found = counted(*both_screened(y, x, torch.float16), 3, 5)
    assert found.precision == float((apart <= r_x[:, 0]).any(dim=1).double().mean())
    assert found.recall == float((apart <= r_y[:, None]).any(dim=0).double().mean())
    inner = apart < r_x[:, 1]
    assert found.density == pytest.approx(float(inner.sum()) / (5 * len(y)), rel=1e-12)
    assert found.coverage == float(inner.any(dim=0).double().mean())


@pytest.mark.parametrize("precision", KINDS, ids=str)
@pytest.mark.parametrize("kind", ["gauss", "clusters", "tails", "far"])
def test_the_band_holds(kind: str, precision: torch.dtype) -> None:
    y, x = points(kind, 100, 300), points(kind, 100, 300, seed=1)
    p, q = both_screened(y, x, precision)
    truth = exact(y, x).square()
    for block in blocks(p, q):
        off = (block.squared.double() - truth[block.rows, block.columns]).abs().max()
        assert 0 < float(off) <= block.band


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_numbers_that_float32_cannot_square(scale: float) -> None:
    x = points("gauss", 50, 80).double()
    found = nearest(x * scale, k=2).distances / scale
    np.testing.assert_allclose(found, nearest(x, k=2).distances, rtol=1e-9)


def test_all_copies() -> None:
    """Everything at distance 0, and named without the point itself."""
    found = nearest(torch.ones(100, 70), k=2)
    assert float(found.distances.max()) == 0.0
    assert not (found.rows == torch.arange(100)[:, None]).any()


def test_types_are_kept_and_give_the_same() -> None:
    x = points("whole", 60, 80)
    whole = nearest(x, k=3).distances
    for other in (x.half(), x.double(), x.to(torch.int8), x.long()):
        assert torch.equal(nearest(other, k=3).distances, whole)


def test_one_pass_gives_what_two_metrics_give() -> None:
    from steadygan.metrics import density_coverage, precision_recall

    y, x = points("gauss", 90, 70) * 0.9, points("gauss", 80, 70, seed=1)
    found = manifolds(y, x)
    pr, dc = precision_recall(y, x), density_coverage(y, x)
    assert (found.precision, found.recall, found.f1) == (pr.precision, pr.recall, float(pr))
    assert (found.density, found.coverage) == (dc.density, dc.coverage)


def test_against_prdc() -> None:
    prdc = pytest.importorskip("prdc")
    y, x = points("gauss", 300, 100) * 0.9, points("gauss", 280, 100, seed=1)
    theirs = prdc.compute_prdc(x.numpy(), y.numpy(), nearest_k=5)
    found = manifolds(y, x, k_precision=5, k_coverage=5)
    for name in ("precision", "recall", "density", "coverage"):
        assert getattr(found, name) == pytest.approx(float(theirs[name]), abs=1e-3)


def test_the_same_samples_in_any_order() -> None:
    x = points("gauss", 50, 5)
    assert same_samples(x, x.clone())
    assert same_samples(x, x[torch.randperm(50)])
    assert not same_samples(x, x.flip(1))
    other = x.clone()
    other[7] = x[8]
    assert not same_samples(other, x)
