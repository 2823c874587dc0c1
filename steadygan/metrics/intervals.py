"""95 % intervals: jackknife over groups, subsampling by disjoint blocks, sums of independent terms, shares, counts.

No interval here resamples with replacement: a copy of a sample is its own nearest neighbour and meets
itself in every mean over pairs, which would be an error of the bootstrap and no property of the data.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import torch
from jaxtyping import Float, Int
from torch import Tensor

from steadygan.metrics.result import Interval

Z95 = NormalDist().inv_cdf(0.975)
BLOCKS = 10
_UNBOUNDED = (-math.inf, math.inf)


def t95(freedom: int) -> float:
    """The 97.5 % point of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def around(value: float, half: float, within: Interval = _UNBOUNDED) -> Interval:
    """value ± half, cut to what is possible, and never without the value itself."""
    low, high = within
    return min(value, max(low, value - half)), max(value, min(high, value + half))


def jackknife_error(left_out: Sequence[float]) -> float:
    """Standard error from the values with each of g groups left out: √((g − 1)/g · Σ (θ₍ⱼ₎ − mean)²).

    It is too large, by √2, where the metric's first derivative vanishes, as for equal
    distributions: then the interval is wide, never narrow.

    Source: Efron, Stein (1981), doi 10.1214/aos/1176345462.
    """
    g, mean = len(left_out), math.fsum(left_out) / len(left_out)
    return math.sqrt((g - 1) / g * math.fsum((one - mean) ** 2 for one in left_out))


def groups_of(num: int, groups: int, device: torch.device) -> list[Int[Tensor, " part"]]:
    """Rows 0 … num − 1 dealt to ``groups`` groups, in an order shuffled by a fixed seed."""
    order = torch.randperm(num, generator=torch.Generator().manual_seed(num)).to(device)
    return [order[start::groups] for start in range(groups)]


def block_interval(
    statistic: Callable[..., Sequence[float]],
    values: Sequence[float],
    sets: Sequence[Tensor],
    *,
    least: int = 2,
    within: Interval = _UNBOUNDED,
) -> list[Interval] | None:
    """Intervals of several statistics at once, from their spread over disjoint blocks of the samples.

    value ± t · s / √B, with s the standard deviation over B blocks of n / B samples of every set:
    the error of an n-sample statistic whose error falls as 1/√n. The blocks' mean is not used, so
    that a bias that depends on n does no harm; what is covered is the expected value at this n.
    Cost: a tenth of a statistic that is quadratic in n.

    Args:
        statistic: of one block of every set.
        values: the same of all samples.
        sets: one sample a row.
        least: samples a block needs in every set; None is returned where they do not give 4 blocks.
        within: the range of possible values.

    Source: Politis, Romano (1994), doi 10.1214/aos/1176325770, with blocks that do not overlap.
    """
    count = min(BLOCKS, *(len(one) // max(least, 1) for one in sets))
    if count < 4:
        return None
    parts = [groups_of(len(one), count, one.device) for one in sets]
    found = [
        statistic(*(one[part[b]] for one, part in zip(sets, parts, strict=True)))
        for b in range(count)
    ]
    spread = torch.tensor(found, dtype=torch.float64).std(dim=0) / count**0.5 * t95(count - 1)
    return [around(v, float(s), within) for v, s in zip(values, spread, strict=True)]


def mean_interval(terms: Float[Tensor, " n"], within: Interval = _UNBOUNDED) -> Interval | None:
    """mean ± t·s/√n of independent terms; None for a single one."""
    if len(terms) < 2:
        return None
    half = t95(len(terms) - 1) * float(terms.std()) / len(terms) ** 0.5
    return around(float(terms.mean()), half, within)


def share_interval(hits: float, num: int) -> Interval:
    """Wilson's interval of a share: never empty, not even at 0 or 1.

    Source: Wilson (1927), doi 10.1080/01621459.1927.10502953.
    """
    p, z2 = hits / num, Z95**2
    centre = (p + z2 / (2 * num)) / (1 + z2 / num)
    half = Z95 * math.sqrt(p * (1 - p) / num + z2 / (4 * num**2)) / (1 + z2 / num)
    return min(p, centre - half), max(p, centre + half)


def count_interval(count: int) -> Interval:
    """The exact interval of a Poisson mean.

    Source: Garwood (1936), doi 10.1093/biomet/28.3-4.437.
    """
    from scipy.special import chdtri

    low = float(chdtri(2 * count, 0.975)) / 2 if count else 0.0
    return low, float(chdtri(2 * (count + 1), 0.025)) / 2


def wider(a: Interval, b: Interval | None) -> Interval:
    """From the lower of the lower ends to the upper of the upper ones."""
    return a if b is None else (min(a[0], b[0]), max(a[1], b[1]))
