"""Improved precision and recall: how many samples look real, and how much of the data they reach."""

from dataclasses import dataclass

from steadygan.metrics.manifold import Manifolds, manifolds
from steadygan.metrics.points import Points
from steadygan.metrics.result import Interval, Result


@dataclass(frozen=True, kw_only=True)
class PrecisionRecall(Result):
    """Both shares, in [0, 1], each with its interval; as a float it is their harmonic mean."""

    precision: float
    recall: float
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None

    @property
    def f1(self) -> float:
        """2·P·R / (P + R), the value; 0 where both are."""
        return self.value


def precision_recall(fake: Points, real: Points, k: int = 3) -> PrecisionRecall:
    """The share of fakes that lie among the reals, and the share of reals that lie among the fakes.

    precision = mean_j 1[∃i: ‖yⱼ − xᵢ‖ <= r_k(xᵢ)],   recall = mean_i 1[∃j: ‖xᵢ − yⱼ‖ <= r_k(yⱼ)]

    with reals x, fakes y and r_k the distance to the k-th nearest other point of the same set.
    One outlier makes one large ball: read it beside ``density_coverage``. Both numbers depend on
    how many samples there are; compare only at equal counts. Intervals come from disjoint blocks of
    both sets and are never narrower than Wilson's for a share; they cover the expected value at
    these counts. Cost: (n²/2 + m²/2 + n·m)·d, in blocks, and a copy of both sets in low precision;
    ``manifolds`` gives this and ``density_coverage`` for the price of one.

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
    return pr_of(manifolds(fake, real, k_precision=k, k_coverage=None))


def pr_of(found: Manifolds) -> PrecisionRecall:
    """Precision and recall, of what was counted once for several metrics."""
    return PrecisionRecall(
        value=found.f1,
        interval=found.interval("f1"),
        precision=found.precision,
        recall=found.recall,
        precision_interval=found.interval("precision"),
        recall_interval=found.interval("recall"),
        n_fake=found.n_fake,
        n_real=found.n_real,
        warnings=found.warnings,
    )
