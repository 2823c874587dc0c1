"""Balls around samples: precision, recall, density and coverage counted in one pass over the pairs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.metrics.intervals import block_interval, share_interval, wider
from steadygan.metrics.neighbours import close_pairs, neighbour_radii
from steadygan.metrics.points import Points, pair_as_given, warned
from steadygan.metrics.result import Interval
from steadygan.metrics.screening import Screened, both_screened


@dataclass(frozen=True)
class Manifolds:
    """The four numbers that balls around samples give; NaN where their k was not asked for."""

    precision: float
    recall: float
    density: float
    coverage: float
    n_fake: int
    n_real: int
    warnings: tuple[str, ...] = ()
    intervals: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def f1(self) -> float:
        """2·P·R / (P + R); 0 where both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def interval(self, name: str) -> Interval | None:
        """95 %, by name; None for too few samples."""
        return self.intervals.get(name)

    @property
    def numbers(self) -> list[float]:
        """All of them, in the order of ``NAMES``."""
        return [float(getattr(self, name)) for name in NAMES]


NAMES = ("precision", "recall", "f1", "density", "coverage")


def manifolds(
    fake: Points, real: Points, *, k_precision: int | None = 3, k_coverage: int | None = 5
) -> Manifolds:
    """What ``precision_recall`` and ``density_coverage`` need, from one look at every pair.

    Args:
        fake, real: features, one sample a row.
        k_precision: k of precision and recall; None: leave them out.
        k_coverage: k of density and coverage; None: leave them out.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for k below 1.
        DataError: for no more than k samples, different dimensions, or values that are not finite.
    """
    asked = [k for k in (k_precision, k_coverage) if k is not None]
    for k in asked:
        if k < 1:
            raise ConfigError(f"k must be >= 1, got {k}; 3 and 5 are the published choices.")
    y, x = pair_as_given(fake, real, more_than=max(asked))
    p, q = both_screened(y, x)
    found = counted(p, q, k_precision, k_coverage)
    least = max(10, 2 * (max(asked) + 1))

    def of_part(i: Tensor, j: Tensor) -> list[float]:
        numbers = counted(p.part(i), q.part(j), k_precision, k_coverage).numbers
        return [0.0 if math.isnan(v) else v for v in numbers]

    blocks = block_interval(
        of_part,
        found.numbers,
        (torch.arange(len(y), device=x.device), torch.arange(len(x), device=x.device)),
        least=least,
        within=(0.0, math.inf),
    )
    spread: Mapping[str, Interval] = dict(zip(NAMES, blocks, strict=True)) if blocks else {}
    return Manifolds(
        *(found.precision, found.recall, found.density, found.coverage, len(y), len(x)),
        warnings=warned(y, x) + _few(len(y), len(x), blocks is None, 4 * least),
        intervals=_completed(found, spread, k_precision is not None, k_coverage is not None),
    )


def _completed(
    found: Manifolds, spread: Mapping[str, Interval], with_pr: bool, with_dc: bool
) -> dict[str, Interval]:
    """Shares get at least Wilson's interval: blocks that all say 1 do not prove 1."""
    intervals: dict[str, Interval] = {}
    shares = {"precision": found.n_fake, "recall": found.n_real} if with_pr else {}
    shares |= {"coverage": found.n_real} if with_dc else {}
    for name, num in shares.items():
        low, high = wider(share_interval(getattr(found, name) * num, num), spread.get(name))
        intervals[name] = low, min(1.0, high)
    if with_pr:
        (p, q), (r, s) = intervals["precision"], intervals["recall"]
        low = 2 * p * r / (p + r) if p + r else 0.0
        outer = low, 2 * q * s / (q + s) if q + s else 0.0
        # Both ends at once are too cautious; they serve where blocks are too few or do not differ.
        low, high = spread.get("f1", outer)
        intervals["f1"] = (low, min(1.0, high)) if high > low else outer
    if with_dc and "density" in spread:
        intervals["density"] = spread["density"]
    return intervals


def _few(n_fake: int, n_real: int, no_blocks: bool, needed: int) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    if n_fake != n_real:
        found += (
            f"{n_fake} fakes and {n_real} reals: these numbers depend on the counts; "
            "compare them only at equal counts.",
        )
    if no_blocks:
        found += (
            f"under {needed} samples of a kind the intervals are Wilson's, which take the balls "
            "as given and are too narrow.",
        )
    return found


def counted(y: Screened, x: Screened, k_precision: int | None, k_coverage: int | None) -> Manifolds:
    """The four numbers alone, without intervals, of points that were checked."""
    ks = tuple(k for k in (k_precision, k_coverage) if k is not None)
    r_x = neighbour_radii(x, ks)
    r_y = neighbour_radii(y, (k_precision,)) if k_precision else r_x.new_zeros(y.num, 0)
    precise = torch.zeros(y.num, dtype=torch.bool, device=r_x.device)
    recalled, covered = (torch.zeros(x.num, dtype=torch.bool, device=r_x.device) for _ in range(2))
    inside = 0
    for pairs in close_pairs(y, x, r_x, r_y):
        if k_precision:
            precise[pairs.fake[pairs.in_real[:, 0]]] = True
            recalled[pairs.real[pairs.in_fake[:, 0]]] = True
        if k_coverage:
            inner = pairs.inner_real[:, -1]
            inside += int(inner.sum())
            covered[pairs.real[inner]] = True
    precision, recall, coverage = (float(s.double().mean()) for s in (precise, recalled, covered))
    with_pr, with_dc = k_precision is not None, k_coverage is not None
    return Manifolds(
        precision if with_pr else math.nan,
        recall if with_pr else math.nan,
        inside / (k_coverage * y.num) if k_coverage is not None else math.nan,
        coverage if with_dc else math.nan,
        y.num,
        x.num,
    )
