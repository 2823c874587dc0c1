"""Improved precision and recall: how many samples look real, and how much of the data they reach."""

from dataclasses import dataclass

import torch

from steadygan.metrics.distances import distance_blocks, neighbour_radius
from steadygan.metrics.points import Points, checked_pair


@dataclass(frozen=True)
class PrecisionRecall:
    """Both shares, in [0, 1]; as a float it is their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """2·P·R / (P + R); 0 where both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    @property
    def value(self) -> float:
        """The one number to compare: F1."""
        return self.f1

    def __float__(self) -> float:
        """F1."""
        return self.f1


def precision_recall(fake: Points, real: Points, k: int = 3) -> PrecisionRecall:
    """The share of fakes that lie among the reals, and the share of reals that lie among the fakes.

    precision = mean_j 1[∃i: ‖yⱼ − xᵢ‖ <= r_k(xᵢ)],   recall = mean_i 1[∃j: ‖xᵢ − yⱼ‖ <= r_k(yⱼ)]

    with reals x, fakes y and r_k the distance to the k-th nearest other point of the same set.
    One outlier makes one large ball: read it beside ``density_coverage``. Both numbers depend on
    how many samples there are; compare only at equal counts. Cost: (n² + m² + n·m)·d, in blocks.

    Args:
        fake, real: features, one sample a row.
        k: which neighbour sets the radius, >= 1 and below both counts.

    Shape: fake (n, d), real (m, d).

    Raises:
        DataError: for no more than k samples, different dimensions, or values that are not finite.

    Source: Kynkäänniemi, Karras, Laine, Lehtinen, Aila (2019), arXiv 1904.06991, eq. 1 and 2.

    >>> import torch
    >>> x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    >>> float(precision_recall(x, x))
    1.0
    """
    y, x = checked_pair(fake, real, more_than=k)
    r_x, r_y = neighbour_radius(x, k), neighbour_radius(y, k)
    precise = 0
    recalled = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for which, block in distance_blocks(y, x):
        precise += int((block <= r_x).any(dim=1).sum())
        recalled |= (block <= r_y[which, None]).any(dim=0)
    return PrecisionRecall(precise / len(y), float(recalled.double().mean()))
