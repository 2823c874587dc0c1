"""Fréchet distance: how far two sets are apart, each taken for a Gaussian of its mean and covariance."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.metrics.intervals import around, groups_of, jackknife_error, t95
from steadygan.metrics.moments import Moments, refuse_other_features
from steadygan.metrics.points import SAME, Points, as_given, warned
from steadygan.metrics.result import Interval, Result

GROUPS = 10
_ENOUGH = 10_000


@dataclass(frozen=True, kw_only=True)
class FrechetDistance(Result):
    """The squared distance, as "FID" is; ``infinity`` is what it extrapolates to with endless samples."""

    infinity: float | None = None
    infinity_interval: Interval | None = None


def frechet_distance(
    fake: Points | Moments, real: Points | Moments, *, groups: int = GROUPS
) -> FrechetDistance:
    """The squared Fréchet distance of two Gaussians with the samples' means and covariances: FID.

    F = ‖μ_f − μ_r‖² + tr(Σ_f + Σ_r − 2·(Σ_f Σ_r)^½)

    tr (Σ_f Σ_r)^½ is the sum of singular values of A·Bᵀ for any factors Σ_f = AᵀA, Σ_r = BᵀB. With
    fewer samples than dimensions the centred samples are such factors, and the result is exact, no
    complex part can arise, and it takes n³ instead of d³. Otherwise it is Σ √eig(Lᵀ Σ_r L) with the
    Cholesky factor L of Σ_f. Covariances are over n − 1.

    It is biased: at equal distributions it is not 0 but about d·(1 + …)/n, and more for fewer
    samples, so compare only at equal counts. The interval is the jackknife's, leaving out a tenth
    of both sets at a time, and covers the expected value *at these counts*, bias included;
    ``infinity`` removes the bias of first order in 1/n by the same ten values (Quenouille), and has
    an interval of its own. Where one side comes as ``Moments``, which hold no spread, the interval
    is that of the other side alone; there is none where both do. Cost: n·d² + d³, and ``groups``
    times more for the interval.

    Args:
        fake, real: features, one sample a row, or their ``Moments``.
        groups: for the interval, >= 2; 0: none.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for groups that are neither 0 nor >= 2.
        DataError: for different dimensions or feature maps, or values that are not finite.

    Source: Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter (2017), arXiv 1706.08500, eq. 6;
    Dowson, Landau (1982), doi 10.1016/0047-259X(82)90077-X. Extrapolation: the idea of Chong,
    Forsyth (2020), arXiv 1911.07023, with Quenouille's two sizes, n and 0.9·n, in place of a
    regression over fifteen.

    >>> import torch
    >>> x = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0))
    >>> abs(float(frechet_distance(x * 2 + 1, x)) - (3 + 3)) < 0.3
    True
    """
    if groups < 0 or groups == 1:
        raise ConfigError(f"groups must be 0 or >= 2, got {groups}; use 0 for no interval.")
    f, r = Moments.of(fake, name="fake"), Moments.of(real, name="real")
    refuse_other_features(f, r)
    value = distance_of(f, r)
    left_out = _left_out(fake, real, f, r, groups)
    odd = () if isinstance(fake, Moments) or isinstance(real, Moments) else _odd(fake, real)
    notes = odd + _notes(f, r)
    if not left_out:
        return FrechetDistance(value=value, n_fake=f.n, n_real=r.n, warnings=notes)
    half = t95(groups - 1) * jackknife_error(left_out)
    infinity = groups * value - (groups - 1) * math.fsum(left_out) / groups
    if SAME in odd:  # in another order the groups differ, and their distances are no bias
        infinity = 0.0
    return FrechetDistance(
        value=value,
        n_fake=f.n,
        n_real=r.n,
        interval=around(value, half, (0.0, math.inf)),
        infinity=infinity,
        infinity_interval=around(infinity, half),
        warnings=notes,
    )


def frechet_infinity(fake: Points, real: Points, *, groups: int = GROUPS) -> Result:
    """What the Fréchet distance would be with endless samples: ``frechet_distance(…).infinity`` as a result.

    F_∞ = g·F_n − (g − 1)·mean_j F_(j),   F_(j) without the j-th of g groups of both sets

    It is 0 in expectation for equal distributions, hence a little below 0 half of the time, and its
    size no longer depends on the counts where n is several times d. Below that the bias is no
    straight line in 1/n, and this, like every extrapolation, removes only a part of it; a warning
    says so. Cost: 1 + g Fréchet distances.

    Args:
        fake, real: features, one sample a row.
        groups: g >= 2.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for groups below 2.
        DataError: for fewer samples than groups, and as ``frechet_distance``.

    Source: as ``frechet_distance``.
    """
    if groups < 2:
        raise ConfigError(f"groups must be >= 2, got {groups}; 10 is the usual choice.")
    found = frechet_distance(fake, real, groups=groups)
    if found.infinity is None:
        raise DataError(
            f"frechet_infinity must be given at least {2 * groups} samples of each kind, got "
            f"{found.n}; give more."
        )
    notes = tuple(w for w in found.warnings if "biased" not in w)
    dims = torch.as_tensor(real).shape[1]
    if found.n < 3 * dims:
        notes += (
            f"{found.n} samples in {dims} dimensions: under 3 per dimension the bias is no line in "
            "1/n, and what is left of it is still positive.",
        )
    return Result(
        value=found.infinity,
        interval=found.infinity_interval,
        n_fake=found.n_fake,
        n_real=found.n_real,
        warnings=notes,
    )


def distance_of(f: Moments, r: Moments) -> float:
    """The squared distance alone, from moments. Never negative; 0 for equal moments."""
    device = r.mean.device
    apart = float((f.mean.to(device) - r.mean).square().sum())
    a, b = f.factor, r.factor
    if a is not None and b is not None:
        same = a.shape == b.shape and torch.equal(a.to(device), b)
        traces = float(a.square().sum() + b.square().sum())
        return apart if same else max(0.0, apart + traces - 2 * _nuclear(a.to(device) @ b.T))
    s, t = f.covariance.to(device), r.covariance
    if torch.equal(s, t):
        return apart
    traces = float(s.trace() + t.trace())
    if a is not None or b is not None:
        thin, full = (a, t) if a is not None else (b, s)
        assert thin is not None
        return max(0.0, apart + traces - 2 * _thin_root_trace(thin.to(device), full))
    return max(0.0, apart + traces - 2 * root_trace(s, t))


def root_trace(s: Float[Tensor, "d d"], t: Float[Tensor, "d d"]) -> float:
    """tr (S·T)^½ of two covariances: Σ √eig(Lᵀ T L) with S = L·Lᵀ, or any other factor where S is singular."""
    moving = (s.diagonal() > 0) & (t.diagonal() > 0)  # a constant feature adds nothing
    if not bool(moving.all()):
        s, t = s[moving][:, moving], t[moving][:, moving]
    if not len(s):
        return 0.0
    lower, failed = torch.linalg.cholesky_ex(s)
    if bool(failed):
        s, t = t, s
        lower, failed = torch.linalg.cholesky_ex(s)
    if bool(failed):
        return _nuclear(_root(s).T @ _root(t))
    return float(torch.linalg.eigvalsh(lower.T @ t @ lower).clamp(min=0).sqrt().sum())


def _thin_root_trace(a: Float[Tensor, "rows d"], t: Float[Tensor, "d d"]) -> float:
    """The same for S = AᵀA of few rows: ‖A·L‖₊ with T = L·Lᵀ, an n x n problem."""
    lower, failed = torch.linalg.cholesky_ex(t)
    part = a @ (_root(t) if bool(failed) else lower)
    return _nuclear(torch.linalg.qr(part.T, mode="r").R if 2 * len(part) < part.shape[1] else part)


def _nuclear(x: Float[Tensor, "rows columns"]) -> float:
    return float(torch.linalg.svdvals(x).sum())


def _root(s: Float[Tensor, "d d"]) -> Float[Tensor, "d rank"]:
    """R with S = R·Rᵀ, of a covariance of any rank; directions below rounding are dropped."""
    values, vectors = torch.linalg.eigh(s)
    kept = values > values[-1] * len(s) * torch.finfo(s.dtype).eps
    root: Tensor = vectors[:, kept] * values[kept].sqrt()
    return root


def _left_out(
    fake: Points | Moments, real: Points | Moments, f: Moments, r: Moments, groups: int
) -> list[float]:
    """The distance without each group of both sets; of one set where the other comes as moments."""
    sampled = [x for x in (fake, real) if not isinstance(x, Moments)]
    if not groups or not sampled or min(len(x) for x in sampled) < 2 * groups:
        return []
    rests = [
        [f] * groups if isinstance(fake, Moments) else _rests(as_given("fake", fake), f, groups),
        [r] * groups if isinstance(real, Moments) else _rests(as_given("real", real), r, groups),
    ]
    return [distance_of(*pair) for pair in zip(*rests, strict=True)]


def _rests(x: Tensor, whole: Moments, groups: int) -> list[Moments]:
    found = []
    for out in groups_of(len(x), groups, x.device):
        kept = torch.ones(len(x), dtype=torch.bool, device=x.device)
        kept[out] = False
        found.append(whole.without(x[out].double()) or Moments.of(x[kept]))
    return found


def _odd(fake: Points, real: Points) -> tuple[str, ...]:
    return warned(torch.as_tensor(fake), torch.as_tensor(real))


def _notes(f: Moments, r: Moments) -> tuple[str, ...]:
    n, dims = min(f.n, r.n), len(f.mean)
    notes: tuple[str, ...] = ()
    if n == 1:
        notes += ("a single sample has no covariance; it was taken for a point.",)
    if n < _ENOUGH:
        notes += (
            f"biased upwards: {n} samples, under {_ENOUGH}; compare only with results at {n}, or "
            "compare frechet_infinity.",
        )
    if n <= dims:
        notes += (
            f"{n} samples in {dims} dimensions: covariances are singular, the bias is large.",
        )
    if f.n != r.n:
        notes += (f"{f.n} fakes and {r.n} reals: the bias differs from that of equal counts.",)
    return notes
