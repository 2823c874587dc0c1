"""Nearest neighbours and who lies in whose ball, for as many points as fit in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from steadygan.metrics.screening import (
    Block,
    Screened,
    blocks,
    fast_type,
    mean_of,
    measured,
    screened,
    steps,
)

_SPARE = 12  # neighbours kept beyond the k-th, so that rounding cannot hide the true one


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


def neighbour_radii(a: Num[Tensor, "n d"], ks: tuple[int, ...]) -> Float[Tensor, "n radii"]:
    """The distance of each point to its k-th nearest other, for every k asked for."""
    return neighbours_at(a, None, ks).distances


def neighbours_at(
    a: Num[Tensor, "n d"],
    b: Num[Tensor, "m d"] | None,
    ranks: tuple[int, ...],
    *,
    kind: torch.dtype | None = None,
) -> Nearest:
    """The neighbours of these ranks, 1 for the nearest; distances are those that float64 gives."""
    kind = kind if kind is not None else fast_type(*(x for x in (a, b) if x is not None))
    centre = mean_of(a if b is None else b)
    p = screened(a, centre, kind)
    q = p if b is None else screened(b, centre, kind)
    most = len(q.points) - (b is None)
    keep = min(max(ranks) + _SPARE, most)
    values, rows, band = _candidates(p, q, keep)
    found = [_at_rank(p, q, values.double(), rows, rank, band) for rank in ranks]
    best = Nearest(torch.stack([d for d, _ in found], 1), torch.stack([r for _, r in found], 1))
    if p.exact or kind == torch.float64 or keep == most:
        return best
    # An unlisted point is no nearer than the last listed one less its error.
    worst = best.distances.amax(dim=1).square()
    open_rows = (worst > values[:, -1].double() - band).nonzero()[:, 0]
    if len(open_rows):
        again = _rows_again(a, b, open_rows, ranks)
        best.distances[open_rows], best.rows[open_rows] = again.distances, again.rows
    return best


def close_pairs(
    fake: Num[Tensor, "n d"],
    real: Num[Tensor, "m d"],
    real_radii: Float[Tensor, "m balls"],
    fake_radii: Float[Tensor, "n more_balls"],
    *,
    kind: torch.dtype | None = None,
) -> Iterator[Pairs]:
    """Block by block, the pairs of which one lies in a ball around the other, or nearly so.

    Args:
        fake, real: the points.
        real_radii, fake_radii: of as many balls around each point as there are columns.
        kind: the precision to screen in; the machine's fastest where None.
    """
    kind = kind if kind is not None else fast_type(fake, real)
    centre = mean_of(real)
    p, q = screened(fake, centre, kind), screened(real, centre, kind)
    for block in blocks(p, q):
        limits = fake_radii[block.rows], real_radii[block.columns]
        i, j = _within(block, *(_limit(one) for one in limits))
        i, j = i + block.rows.start, j + block.columns.start
        distance = _decided(p, q, block, i, j, torch.cat([fake_radii[i], real_radii[j]], dim=1))
        d, of_real, of_fake = distance[:, None], real_radii[j], fake_radii[i]
        yield Pairs(i, j, d <= of_real, d < of_real, d <= of_fake)


def _limit(radii: Float[Tensor, "points balls"]) -> Float[Tensor, " points"]:
    """The squared radius of the largest ball around each point; −∞ where there are none."""
    return (
        radii.amax(dim=1).square() if radii.shape[1] else radii.new_full((len(radii),), -torch.inf)
    )


def _within(
    block: Block, row_limit: Float[Tensor, " rows"], column_limit: Float[Tensor, " columns"]
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    kind = block.squared.dtype
    # Rounding the limit must not lose a pair: the band is widened by the limit's own last place.
    slack = 1 + 4 * torch.finfo(kind).eps
    near = block.squared <= ((row_limit * slack + block.band).to(kind))[:, None]
    near |= block.squared <= (column_limit * slack + block.band).to(kind)
    i, j = near.nonzero().unbind(1)
    return i, j


def _decided(
    p: Screened,
    q: Screened,
    block: Block,
    i: Int[Tensor, " pairs"],
    j: Int[Tensor, " pairs"],
    radii: Float[Tensor, "pairs balls"],
) -> Float[Tensor, " pairs"]:
    """Distances on the right side of every radius: measured again where the error leaves it open."""
    squared = block.squared[i - block.rows.start, j - block.columns.start].double()
    limits = radii.square()
    error = torch.full_like(squared, block.band)
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


def _candidates(
    p: Screened, q: Screened, keep: int
) -> tuple[Float[Tensor, "n keep"], Int[Tensor, "n keep"], float]:
    """The nearest by the low precision: squared distances, rows, and the largest error bound met."""
    device, kind = p.points.device, torch.float32 if p.low.element_size() < 8 else torch.float64
    values = torch.full((len(p.points), keep), torch.inf, dtype=kind, device=device)
    rows = torch.zeros(len(p.points), keep, dtype=torch.long, device=device)
    band = 0.0
    for block in blocks(p, q):
        band = max(band, block.band)
        if p is q and block.rows == block.columns:
            block.squared.fill_diagonal_(torch.inf)
        _merge(values, rows, block.squared, block.rows, block.columns.start)
        if p is q and block.rows != block.columns:
            _merge(values, rows, block.squared.T, block.columns, block.rows.start)
    return values, rows, band


def _merge(
    values: Float[Tensor, "n keep"],
    rows: Int[Tensor, "n keep"],
    found: Float[Tensor, "some others"],
    which: slice,
    first: int,
) -> None:
    keep = values.shape[1]
    near = found.topk(min(keep, found.shape[1]), dim=1, largest=False)
    both = torch.cat([values[which], near.values], dim=1)
    names = torch.cat([rows[which], near.indices + first], dim=1)
    best = both.topk(keep, dim=1, largest=False)
    values[which], rows[which] = best.values, names.gather(1, best.indices)


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
