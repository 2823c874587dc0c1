"""Wasserstein distances: the exact one, and the mean over lines."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.metrics.distances import pair_distances
from steadygan.metrics.intervals import around, block_interval
from steadygan.metrics.points import Points, checked_pair, warned
from steadygan.metrics.result import Interval, Result
from steadygan.metrics.transport import transport_cost

_POSITIVE = (0.0, math.inf)
_PLANE = 2


def wasserstein(fake: Points, real: Points, *, p: int = 2) -> Result:
    """The least mean distance that fakes must be moved to become the reals: exact optimal transport.

    W_p = (min_π Σ πᵢⱼ ‖yᵢ − xⱼ‖ᵖ)^(1/p)

    over plans π with weight 1/n on each fake and 1/m on each real; in the data's units. Between
    samples it is far from 0 even for equal distributions, falling as n^(−1/d): compare only at equal
    counts, or with reals against reals. On the line it comes from sorting, otherwise from POT's network
    simplex. The interval is from disjoint blocks and covers the expected value at these counts.
    Cost: about n³ at worst, n·m numbers of memory: up to some 10,000 samples.

    Args:
        fake, real: features, one sample a row.
        p: 1 or 2.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for another p.
        DataError: for no samples, different dimensions, or values that are not finite.

    Source: Peyré, Cuturi (2019), arXiv 1803.00567, eq. 2.11 and section 3.

    >>> float(wasserstein(torch.tensor([[0.0, 1], [0, 2]]), torch.tensor([[3.0, 2], [3, 1]])))
    3.0
    """
    _check_p(p)
    y, x = checked_pair(fake, real)
    value = distance_of_sets(y, x, p)
    blocks = block_interval(
        lambda a, b: [distance_of_sets(a, b, p)], [value], (y, x), within=_POSITIVE
    )
    return _result(value, blocks[0] if blocks else None, y, x)


def sliced_wasserstein(
    fake: Points, real: Points, *, p: int = 2, directions: int = 256, seed: int = 0
) -> Result:
    """The Wasserstein distance of the two sets' shadows on a line, over random lines.

    SW_p = (mean_θ W_p(θ·y, θ·x)ᵖ)^(1/p),   θ uniform on the sphere

    in the data's units, W_p on a line from sorting, also for unequal counts. Unlike W_p it does not
    suffer from the dimension: 0 is approached as 1/√n. Between Gaussians of one covariance it is
    ‖μ_f − μ_r‖/√d. The interval adds the error of drawing samples, from disjoint blocks, to that of
    drawing lines. Cost: directions·(n·d + n·log n).

    Args:
        fake, real: features, one sample a row.
        p: 1 or 2.
        directions: how many lines, >= 2.
        seed: of the lines; the same lines for every pair of sets of one dimension.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for another p, or fewer directions.
        DataError: for no samples, different dimensions, or values that are not finite.

    Source: Bonneel, Rabin, Peyré, Pfister (2015), doi 10.1007/s10851-014-0506-3, definition 7.
    """
    _check_p(p)
    if directions < 2:
        raise ConfigError(
            f"directions must be >= 2, got {directions}; 256 is enough for a percent."
        )
    y, x = checked_pair(fake, real)
    lines = torch.randn(
        x.shape[1], directions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    lines = (lines / lines.norm(dim=0)).to(x.device)

    def powers(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, " lines"]:
        return on_a_line(a @ lines, b @ lines, p)

    each = powers(y, x)
    value = float(each.mean()) ** (1 / p)
    blocks = block_interval(
        lambda a, b: [float(powers(a, b).mean()) ** (1 / p)], [value], (y, x), within=_POSITIVE
    )
    return _result(value, _with_lines(value, blocks, each, p), y, x)


def on_a_line(
    a: Float[Tensor, "n lines"], b: Float[Tensor, "m lines"], p: int
) -> Float[Tensor, " lines"]:
    """W_pᵖ of every column: ∫ |quantile of a − quantile of b|ᵖ, which is a sum over all jumps."""
    a, b = a.sort(dim=0).values, b.sort(dim=0).values
    n, m = len(a), len(b)
    if n == m:
        return (a - b).abs().pow(p).mean(dim=0)
    cuts = torch.unique(torch.cat([torch.arange(n) * m, torch.arange(m) * n]))
    widths = torch.diff(cuts, append=torch.tensor([n * m])).to(a) / (n * m)
    apart = a[(cuts // m).to(a.device)] - b[(cuts // n).to(a.device)]
    return (apart.abs().pow(p) * widths[:, None]).sum(dim=0)


def distance_of_sets(y: Float[Tensor, "n d"], x: Float[Tensor, "m d"], p: int) -> float:
    """W_p alone, of points that were checked."""
    if x.shape[1] == 1:
        return math.pow(float(on_a_line(y, x, p)), 1 / p)
    centre = x.mean(dim=0)
    cost = pair_distances(y - centre, x - centre)
    if p == 2:
        cost.square_()
    return math.pow(max(0.0, transport_cost(cost, sparse=x.shape[1] > _PLANE)), 1 / p)


def _with_lines(
    value: float, blocks: list[Interval] | None, each: Float[Tensor, " lines"], p: int
) -> Interval | None:
    if not blocks:
        return None
    if not value > 0:
        return blocks[0]
    low, high = blocks[0]
    of_lines = 2 * float(each.std()) / len(each) ** 0.5 * value ** (1 - p) / p
    half = math.hypot(max(high - value, value - low), of_lines)
    return around(value, half, _POSITIVE)


def _check_p(p: int) -> None:
    if p not in (1, 2):
        raise ConfigError(f"p must be 1 or 2, got {p}; 2 is the usual choice.")


def _result(
    value: float, interval: Interval | None, y: Float[Tensor, "n d"], x: Float[Tensor, "m d"]
) -> Result:
    return Result(
        value=value, interval=interval, n_fake=len(y), n_real=len(x), warnings=warned(y, x)
    )
