"""Number of statistically different bins: which parts of the data are made too often or too rarely?"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import torch
from jaxtyping import Float, Int
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.metrics.distances import distance_blocks
from steadygan.metrics.intervals import Z95, around
from steadygan.metrics.points import Points, checked_pair, warned
from steadygan.metrics.result import Result

_ROUNDS = 30
_SEED = 777


@dataclass(frozen=True, kw_only=True)
class DifferentBins(Result):
    """The share of bins whose share differs; ``divergence`` is Jensen–Shannon's, over the bins [nats]."""

    different: int
    bins: int
    divergence: float


def different_bins(
    fake: Points, real: Points, *, bins: int = 100, significance: float = 0.05
) -> DifferentBins:
    """The share of the data's Voronoi cells that hold significantly more or fewer fakes than reals: NDB/K.

    NDB/K = mean_k 1[|f_k − r_k| > z·√(p_k(1 − p_k)(1/n + 1/m))],   p_k the pooled share of bin k

    Cells are those of k-means on one half of the reals; the other half is compared, because bins fit
    the samples they are made of. Equal distributions give ``significance``; a generator that drops
    modes leaves their cells empty. The more samples, the smaller the differences that are found:
    compare at equal counts. The interval is ± 1.96·√(Σ π_k(1 − π_k))/K with π_k the chance that
    bin k, with the shares seen, would be found different. Cost: 30·m·bins·d.

    Args:
        fake, real: features, one sample a row.
        bins: K >= 2; fewer where half of the reals are not ten times as many.
        significance: level of each bin's test, in (0, 1).

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for bins or significance out of range.
        DataError: for fewer than four samples, different dimensions, or values that are not finite.

    Source: Richardson, Weiss (2018), arXiv 1805.12462, section 3. They make the bins of the reals
    that they compare.
    """
    if bins < 2 or not 0 < significance < 1:
        raise ConfigError(
            f"bins must be >= 2 and significance in (0, 1), got {bins} and {significance}; "
            "100 and 0.05 are the published choices."
        )
    y, x = checked_pair(fake, real, more_than=3)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(_SEED)).to(x.device)
    making, compared = x[order[::2]], x[order[1::2]]
    count = min(bins, max(2, len(making) // 10))
    centres = _centres(making, count)
    f, r = (torch.bincount(_cell(s, centres), minlength=count).double() for s in (y, compared))
    n, m = len(y), len(compared)
    pooled = (f + r) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    apart = (f / n - r / m).abs()
    z = NormalDist().inv_cdf(1 - significance / 2)
    size = torch.where(error > 0, apart / torch.where(error > 0, error, 1.0), 0.0)
    chance = torch.special.ndtr(size - z) + torch.special.ndtr(-size - z)
    different = int((size > z).sum())
    half = Z95 * math.sqrt(float((chance * (1 - chance)).sum())) / count
    notes = warned(y, x)
    if count < bins:
        notes += (f"{count} bins instead of {bins}: {len(making)} reals are too few for more.",)
    return DifferentBins(
        value=different / count,
        interval=around(different / count, half, (0.0, 1.0)),
        different=different,
        bins=count,
        divergence=_jensen_shannon(f / n, r / m),
        n_fake=n,
        n_real=len(x),
        warnings=notes,
    )


def _centres(x: Float[Tensor, "n d"], count: int) -> Float[Tensor, "count d"]:
    """Lloyd's k-means from a seeded choice of samples, each far from those before (k-means++)."""
    g = torch.Generator().manual_seed(_SEED)
    chosen = [int(torch.randint(len(x), (1,), generator=g))]
    apart = (x - x[chosen[0]]).square().sum(dim=1)
    for _ in range(count - 1):
        weight = apart.cpu() if bool((apart > 0).any()) else torch.ones(len(x))
        chosen.append(int(torch.multinomial(weight, 1, generator=g)))
        apart = torch.minimum(apart, (x - x[chosen[-1]]).square().sum(dim=1))
    centres = x[chosen].clone()
    for _ in range(_ROUNDS):
        cell = _cell(x, centres)
        size = torch.bincount(cell, minlength=count)
        sums = torch.zeros_like(centres).index_add_(0, cell, x)
        moved = torch.where(size[:, None] > 0, sums / size.clamp(min=1)[:, None], centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres


def _cell(x: Float[Tensor, "n d"], centres: Float[Tensor, "count d"]) -> Int[Tensor, " n"]:
    return torch.cat([block.argmin(dim=1) for _, block in distance_blocks(x, centres)])


def _jensen_shannon(p: Float[Tensor, " k"], q: Float[Tensor, " k"]) -> float:
    mean = (p + q) / 2
    safe = torch.where(mean > 0, mean, 1.0)
    both = torch.special.xlogy(p, p / safe).sum() + torch.special.xlogy(q, q / safe).sum()
    return max(0.0, float(both) / 2)
