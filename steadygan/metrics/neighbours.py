"""Nearest neighbours and who lies in whose ball, for as many points as fit in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from steadygan.metrics.screening import (
    Block,
    Screened,
    at_most,
    blocks,
    both_screened,
    fast_type,
    finely,
    mean_of,
    measured,
    recentred,
    screened,
    steps,
)
from steadygan.metrics.shortlist import shortlist

_SPARE = 12  # neighbours kept beyond the k-th, so that rounding cannot hide the true one
# Shares in doubt beyond which a product in float64 costs less than measuring them one by one.
_MANY_ROWS = 0.25
_MANY_PAIRS = 0.02


@dataclass(frozen=True)
class Nearest:
    """The k nearest of each point, nearest first: distances, and rows of the other set."""

    distances: Float[Tensor, "n k"]
    rows: Int[Tensor, "n k"]


@dataclass(frozen=True)
class Pairs:
    """Pairs of a fake and a real, and in which of the balls around either one the other lies.

    ``in_real`` and ``in_fake`` count the rim as inside, ``inner_real`` does not.
    """

    fake: Int[Tensor, " pairs"]
    real: Int[Tensor, " pairs"]
    in_real: Bool[Tensor, "pairs balls"]
    inner_real: Bool[Tensor, "pairs balls"]
    in_fake: Bool[Tensor, "pairs more_balls"]


def nearest(a: Num[Tensor, "n d"], b: Num[Tensor, "m d"] | None = None, k: int = 1) -> Nearest:
    """The k nearest points of ``b`` to each point of ``a``; of the others of ``a`` where b is None.

    Which of several points at one distance is named is arbitrary. Cost: n·m·d in the machine's
    fastest precision, half of it within one set; memory for a copy of both sets in that precision.
    """
    return neighbours_at(a, b, tuple(range(1, k + 1)))


def neighbours_at(
    a: Num[Tensor, "n d"],
    b: Num[Tensor, "m d"] | None,
    ranks: tuple[int, ...],
    *,
    kind: torch.dtype | None = None,
) -> Nearest:
    """The neighbours of these ranks, 1 for the nearest; distances are those that float64 gives."""
    if b is not None:
        return _found(*both_screened(a, b, kind), ranks)
    p = screened(a, mean_of(a), kind if kind is not None else fast_type(a))
    return _found(p, p, ranks)


def neighbour_radii(a: Screened, ks: tuple[int, ...]) -> Float[Tensor, "n radii"]:
    """The distance of each point to its k-th nearest other, for every k asked for."""
    a = recentred(a)
    return _found(a, a, ks).distances


def close_pairs(
    fake: Screened,
    real: Screened,
    real_radii: Float[Tensor, "m balls"],
    fake_radii: Float[Tensor, "n more_balls"],
) -> Iterator[Pairs]:
    """Block by block, the pairs of which one lies in a ball around the other, or nearly so.

    Args:
        fake, real: the points.
        real_radii, fake_radii: of as many balls around each point as there are columns.
    """
    for block in blocks(fake, real):
        near = _near(block, fake_radii, real_radii)
        if near.num_open > _MANY_PAIRS * block.squared.numel():
            near = _near(finely(fake, real, block), fake_radii, real_radii)
        d = _decided(fake, real, near)[:, None]
        of_real, of_fake = real_radii[near.real], fake_radii[near.fake]
        yield Pairs(near.fake, near.real, d <= of_real, d < of_real, d <= of_fake)


def _found(p: Screened, q: Screened, ranks: tuple[int, ...]) -> Nearest:
    within = p is q
    most = len(q.points) - within
    keep = min(max(ranks) + _SPARE, most)
    values, rows, band = shortlist(p, q, keep)
    found = [_at_rank(p, q, values.double(), rows, rank, band) for rank in ranks]
    best = Nearest(torch.stack([d for d, _ in found], 1), torch.stack([r for _, r in found], 1))
    if p.exact or p.low.dtype == torch.float64 or keep == most:
        return best
    # An unlisted point is no nearer than the last listed one less its error.
    worst = best.distances.amax(dim=1).square()
    open_rows = (worst > (values[:, -1].double() - band).clamp(min=0)).nonzero()[:, 0]
    if len(open_rows) > _MANY_ROWS * p.num:
        fine = screened(p.points, p.centre, torch.float64)
        return _found(fine, fine if within else screened(q.points, q.centre, torch.float64), ranks)
    if len(open_rows):
        again = _rows_again(p.points, None if within else q.points, open_rows, ranks)
        best.distances[open_rows], best.rows[open_rows] = again.distances, again.rows
    return best


@dataclass(frozen=True)
class _Near:
    """Pairs that may lie in a ball, the squares of their distances up to ``band``, and of the radii."""

    fake: Int[Tensor, " pairs"]
    real: Int[Tensor, " pairs"]
    squared: Float[Tensor, " pairs"]
    limits: Float[Tensor, "pairs radii"]
    band: float

    @property
    def num_open(self) -> int:
        """How many the error leaves open."""
        off = (self.squared[:, None] - self.limits).abs() <= self.band
        return int(off.any(dim=1).sum())


def _near(
    block: Block, fake_radii: Float[Tensor, "n more_balls"], real_radii: Float[Tensor, "m balls"]
) -> _Near:
    of_fake, of_real = fake_radii[block.rows].square(), real_radii[block.columns].square()
    kind = block.squared.dtype
    # Rounding the limit must not lose a pair: the band is widened by the limit's own last place.
    slack = 1 + 4 * torch.finfo(kind).eps
    of_row, of_column = ((_largest(x) * slack + block.band).to(kind) for x in (of_fake, of_real))
    i, j = at_most(block.squared, torch.maximum(of_row[:, None], of_column))
    return _Near(
        i + block.rows.start,
        j + block.columns.start,
        block.squared[i, j].double(),
        torch.cat([of_fake[i], of_real[j]], dim=1),
        block.band,
    )


def _largest(limits: Float[Tensor, "points balls"]) -> Float[Tensor, " points"]:
    """The limit of the largest ball around each point; −∞ where there are none."""
    return limits.amax(dim=1) if limits.shape[1] else limits.new_full((len(limits),), -torch.inf)


def _decided(p: Screened, q: Screened, near: _Near) -> Float[Tensor, " pairs"]:
    """Distances on the right side of every radius: measured again where the error leaves it open."""
    i, j, squared, limits = near.fake, near.real, near.squared, near.limits
    error = torch.full_like(squared, near.band)
    for kind, relative in steps(p, q):
        off = (error + 1e-12 * squared.abs())[:, None]
        which = ((squared[:, None] - limits).abs() <= off).any(dim=1).nonzero()[:, 0]
        squared[which] = measured(p, q, i[which], j[which], kind)
        error[which] = relative * squared[which]
    return squared.clamp(min=0).sqrt()


def _at_rank(
    p: Screened,
    q: Screened,
    values: Float[Tensor, "n keep"],
    rows: Int[Tensor, "n keep"],
    rank: int,
    band: float,
) -> tuple[Float[Tensor, " n"], Int[Tensor, " n"]]:
    """The rank-th smallest distance of each row: only those near it are measured again."""
    error = torch.full_like(values[:, :1], band)
    for kind, relative in steps(p, q):
        level = values.kthvalue(rank, dim=1, keepdim=True).values
        is_open = (values - level).abs() <= 2 * error
        values = torch.where(
            is_open, values, torch.copysign(values.new_tensor(torch.inf), values - level)
        )
        if relative:
            is_open &= is_open.sum(dim=1, keepdim=True) > 1  # nothing to choose from
        i, place = is_open.nonzero().unbind(1)
        values[i, place] = measured(p, q, i, rows[i, place], kind)
        kept = torch.where(values.isfinite(), values, 0.0).amax(dim=1, keepdim=True)
        error = torch.where(is_open.any(dim=1, keepdim=True), relative * kept, error)
    found = values.kthvalue(rank, dim=1)
    return found.values.clamp(min=0).sqrt(), rows.gather(1, found.indices[:, None])[:, 0]


def _rows_again(
    a: Num[Tensor, "n d"],
    b: Num[Tensor, "m d"] | None,
    which: Int[Tensor, " some"],
    ranks: tuple[int, ...],
) -> Nearest:
    """Some rows once more, by a product in float64; within one set the point itself is left out."""
    if b is not None:
        return neighbours_at(a[which], b, ranks, kind=torch.float64)
    some = tuple(range(1, max(ranks) + 2))
    found = neighbours_at(a[which], a, some, kind=torch.float64)
    other = found.rows != which[:, None]
    other[other.all(dim=1), -1] = False  # more than k copies: any of them may go
    columns = torch.tensor(ranks, device=which.device) - 1
    shape = len(which), len(some) - 1
    distances, rows = (x[other].reshape(shape) for x in (found.distances, found.rows))
    return Nearest(distances[:, columns], rows[:, columns])
