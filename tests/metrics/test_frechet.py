"""Fréchet distance: closed forms, a slow twin, other libraries, degenerate sets, honest intervals."""

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import Moments, frechet_distance, frechet_infinity
from steadygan.metrics.frechet import root_trace


def twin(fake: np.ndarray, real: np.ndarray) -> float:
    """The definition, with a matrix square root."""
    linalg = pytest.importorskip("scipy.linalg")
    s, t = (np.atleast_2d(np.cov(x.astype(float).T)) for x in (fake, real))
    root = linalg.sqrtm(s @ t).real
    apart = fake.mean(0) - real.mean(0)
    return float(apart @ apart + np.trace(s + t - 2 * root))


def sets(n: int, m: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(d, d)) / d**0.5
    return rng.normal(size=(n, d)) @ mix + 0.3, rng.normal(size=(m, d))


@pytest.mark.parametrize(("n", "m", "d"), [(60, 60, 1), (300, 200, 7), (500, 500, 40)])
def test_against_the_slow_twin(n: int, m: int, d: int) -> None:
    fake, real = sets(n, m, d)
    assert float(frechet_distance(fake, real)) == pytest.approx(twin(fake, real), rel=1e-6)


def test_gaussians_in_closed_form() -> None:
    """Commuting covariances: ‖μ‖² + Σ (σ_f − σ_r)², for samples with exactly these moments."""
    x = torch.randn(500, 6, dtype=torch.float64)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T
    a, shift = torch.arange(1.0, 7).double(), torch.linspace(-1, 1, 6).double()
    b = a.flip(0)
    expected = float(shift.square().sum() + (a - b).square().sum())
    assert float(frechet_distance(x * a + shift, x * b)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "m"), [(20, 30), (20, 200), (200, 20), (20, 20)])
def test_singular_is_exact(n: int, m: int) -> None:
    """Embedded in more dimensions than samples, nothing changes: rotate 15 dimensions into 100."""
    fake, real = sets(n, m, 15)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(100, 100)))[0][:15]
    small = float(frechet_distance(fake, real, groups=0))
    found = frechet_distance(fake @ turn, real @ turn, groups=0)
    assert float(found) == pytest.approx(small, rel=1e-7)
    assert any("singular" in one for one in found.warnings)


def test_thin_and_full_paths_agree() -> None:
    fake, real = sets(40, 45, 60)
    thin = float(frechet_distance(fake, real, groups=0))
    s, t = np.cov(fake.T), np.cov(real.T)
    apart = fake.mean(0) - real.mean(0)
    root = root_trace(torch.from_numpy(s), torch.from_numpy(t))
    assert apart @ apart + np.trace(s + t) - 2 * root == pytest.approx(thin, rel=1e-6)


@pytest.mark.parametrize("n", [5, 50, 500])
def test_identical_sets_are_zero(n: int) -> None:
    x = torch.randn(n, 20)
    for y in (x.clone(), x[torch.randperm(n)]):
        found = frechet_distance(y, x)
        assert 0 <= float(found) < 1e-6
        assert any("same samples" in one for one in found.warnings)


def test_constant_features_change_nothing() -> None:
    fake, real = sets(200, 200, 5)
    wide = [np.concatenate([x, np.full((200, 3), 7.0)], axis=1) for x in (fake, real)]
    assert float(frechet_distance(*wide)) == pytest.approx(float(frechet_distance(fake, real)))
    constant = frechet_distance(np.full((50, 2), 3.0), np.full((50, 2), 1.0))
    assert float(constant) == 8.0


def test_dependent_features() -> None:
    fake, real = sets(300, 300, 4)
    double = [np.concatenate([x, x], axis=1) for x in (fake, real)]
    assert float(frechet_distance(*double)) == pytest.approx(
        2 * float(frechet_distance(fake, real))
    )


def test_one_sample_is_a_point() -> None:
    found = frechet_distance(torch.zeros(1, 3), torch.ones(1, 3))
    assert float(found) == 3.0
    assert any("single sample" in one for one in found.warnings)
    assert found.interval is None


def test_moments_and_points_and_types_agree() -> None:
    fake, real = sets(400, 400, 10)
    expected = float(frechet_distance(fake, real))
    seen = Moments()
    for batch in np.array_split(real, 7):
        seen.update(batch)
    for found in (frechet_distance(fake, seen), frechet_distance(Moments.of(fake), seen)):
        assert float(found) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(fake, seen).interval is not None
    assert frechet_distance(Moments.of(fake), seen).interval is None
    single = frechet_distance(torch.from_numpy(fake).float(), real.astype(np.float32))
    assert float(single) == pytest.approx(expected, rel=1e-5)
    whole = (fake * 40).round()
    assert frechet_distance(whole.astype(np.int16), real) == frechet_distance(whole, real)


def test_against_torchmetrics() -> None:
    fid = pytest.importorskip("torchmetrics.image.fid")
    fake, real = sets(300, 300, 30)
    (m, s), (o, t) = (
        (torch.from_numpy(x.mean(0)), torch.from_numpy(np.cov(x.T))) for x in (fake, real)
    )
    theirs = float(fid._compute_fid(m, s, o, t))
    assert float(frechet_distance(fake, real)) == pytest.approx(theirs, rel=1e-3)


def gaussian_cases() -> list[tuple[float, float, float]]:
    return [(1.0, 0.0, 0.0), (1.3, 0.5, 4 * 0.3**2 + 4 * 0.25)]  # equal, and apart


@pytest.mark.parametrize(("scale", "shift", "truth"), gaussian_cases())
def test_intervals_cover(scale: float, shift: float, truth: float) -> None:
    """95 % of intervals hold the mean of many values; of the bias-free ones, the true distance."""
    results = []
    for seed in range(200):
        g = torch.Generator().manual_seed(seed)
        fake = torch.randn(200, 4, generator=g) * scale + shift
        results.append(frechet_distance(fake, torch.randn(200, 4, generator=g)))
    values, unbiased = ([float(x) for x in xs] for xs in (results, [r.infinity for r in results]))
    mean = np.mean(values)
    lowest = 0.95 - 4.5 * (0.95 * 0.05 / 200) ** 0.5
    assert np.mean([r.interval[0] <= mean <= r.interval[1] for r in results]) > lowest
    holds = [r.infinity_interval[0] <= truth <= r.infinity_interval[1] for r in results]
    assert np.mean(holds) > lowest
    assert abs(np.mean(unbiased) - truth) < 4 * np.std(unbiased) / 200**0.5
    assert mean - np.mean(unbiased) > 0.05  # and the bias was there


def test_infinity_forgets_the_count() -> None:
    values = {}
    for n in (100, 1600):
        draws = [torch.Generator().manual_seed(seed) for seed in range(8)]
        found = [
            frechet_infinity(torch.randn(n, 6, generator=g) * 1.5, torch.randn(n, 6, generator=g))
            for g in draws
        ]
        values[n] = float(np.mean([float(one) for one in found]))
    assert values[100] == pytest.approx(1.5, abs=0.25)
    assert values[1600] == pytest.approx(1.5, abs=0.08)
    few = frechet_infinity(torch.randn(30, 20), torch.randn(30, 20))
    assert any("no line in" in one for one in few.warnings)


def test_refuses() -> None:
    x = torch.randn(50, 3)
    with pytest.raises(ConfigError, match="groups must be 0 or >= 2, got 1"):
        frechet_distance(x, x, groups=1)
    with pytest.raises(ConfigError, match="groups must be >= 2, got 0"):
        frechet_infinity(x, x, groups=0)
    with pytest.raises(DataError, match="at least 20 samples of each kind, got 5"):
        frechet_infinity(x[:5], x)
    with pytest.raises(DataError, match="same number of features, got 3 and 2"):
        frechet_distance(x, x[:, :2])
    with pytest.raises(DataError, match="fake must be finite, got nan in sample 4"):
        frechet_distance(x.clone().index_fill_(0, torch.tensor(4), float("nan")), x)
    with pytest.raises(DataError, match=r"shape \(n, d\), got \(2, 2, 2\)"):
        frechet_distance(torch.zeros(2, 2, 2), x)


def test_ranges_that_cannot_be_meant() -> None:
    found = frechet_distance(torch.rand(50, 3) * 255, torch.rand(50, 3))
    assert any("same range" in one for one in found.warnings)
