"""Density and coverage: precision and recall that an outlier cannot spoil."""

from dataclasses import dataclass

from steadygan.metrics.manifold import Manifolds, manifolds
from steadygan.metrics.points import Points
from steadygan.metrics.result import Interval, Result


@dataclass(frozen=True, kw_only=True)
class DensityCoverage(Result):
    """density >= 0, 1 expected of perfect samples; coverage, the value, in [0, 1], about 1 − 2⁻ᵏ expected."""

    density: float
    density_interval: Interval | None = None

    @property
    def coverage(self) -> float:
        """The share of reals whose neighbourhood holds a fake: the value."""
        return self.value

    @property
    def coverage_interval(self) -> Interval | None:
        """The value's."""
        return self.interval


def density_coverage(fake: Points, real: Points, k: int = 5) -> DensityCoverage:
    """How densely fakes lie in the reals' neighbourhoods, and the share of these that hold a fake.

    density = 1/(k·n) Σⱼ Σᵢ 1[‖yⱼ − xᵢ‖ < r_k(xᵢ)],   coverage = mean_i 1[min_j ‖yⱼ − xᵢ‖ < r_k(xᵢ)]

    with m reals x, n fakes y, and r_k(xᵢ) the distance to the k-th nearest other real. Only the
    reals make balls, so an outlying fake changes nothing. Perfect samples have density 1 and, at
    n = m, coverage 1 − Π_{i<k} (m − 1 − i)/(2m − 1 − i) ≈ 1 − 2⁻ᵏ: 0.97 for k = 5. More than k
    copies of one real make balls of radius 0, which nothing is inside of. Intervals as in
    ``precision_recall``. Cost: (m²/2 + n·m)·d, in blocks.

    Args:
        fake, real: features, one sample a row.
        k: which neighbour sets the radius, >= 1 and below both counts.

    Shape: fake (n, d), real (m, d).

    Raises:
        DataError: for no more than k samples, different dimensions, or values that are not finite.

    Source: Naeem, Oh, Uh, Choi, Yoo (2020), arXiv 2002.09797, eq. 3, 4 and section 3.3.

    >>> import torch
    >>> x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    >>> density_coverage(x[:1].repeat(500, 1), x).coverage < 0.05
    True
    """
    return dc_of(manifolds(fake, real, k_precision=None, k_coverage=k))


def dc_of(found: Manifolds) -> DensityCoverage:
    """Density and coverage, of what was counted once for several metrics."""
    return DensityCoverage(
        value=found.coverage,
        interval=found.interval("coverage"),
        density=found.density,
        density_interval=found.interval("density"),
        n_fake=found.n_fake,
        n_real=found.n_real,
        warnings=found.warnings,
    )
