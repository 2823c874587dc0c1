"""Density and coverage: precision and recall that an outlier cannot spoil."""

from dataclasses import dataclass

import torch

from steadygan.metrics.distances import distance_blocks, neighbour_radius
from steadygan.metrics.points import Points, checked_pair


@dataclass(frozen=True)
class DensityCoverage:
    """density >= 0, 1 expected of perfect samples; coverage in [0, 1], about 1 − 2⁻ᵏ expected."""

    density: float
    coverage: float

    @property
    def value(self) -> float:
        """The one number to compare: coverage."""
        return self.coverage

    def __float__(self) -> float:
        """Coverage."""
        return self.coverage


def density_coverage(fake: Points, real: Points, k: int = 5) -> DensityCoverage:
    """How densely fakes lie in the reals' neighbourhoods, and the share of these that hold a fake.

    density = 1/(k·n) Σⱼ Σᵢ 1[‖yⱼ − xᵢ‖ < r_k(xᵢ)],   coverage = mean_i 1[min_j ‖yⱼ − xᵢ‖ < r_k(xᵢ)]

    with m reals x, n fakes y, and r_k(xᵢ) the distance to the k-th nearest other real. Only the
    reals make balls, so an outlying fake changes nothing. Perfect samples have density 1 and, at
    n = m, coverage 1 − Π_{i<k} (m − 1 − i)/(2m − 1 − i) ≈ 1 − 2⁻ᵏ: 0.97 for k = 5. More than k
    copies of one real make balls of radius 0, which nothing is inside of.
    Cost: (m² + n·m)·d, in blocks.

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
    y, x = checked_pair(fake, real, more_than=k)
    radius = neighbour_radius(x, k)
    inside = 0
    covered = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for _, block in distance_blocks(y, x):
        hits = block < radius
        inside += int(hits.sum())
        covered |= hits.any(dim=0)
    return DensityCoverage(inside / (k * len(y)), float(covered.double().mean()))
