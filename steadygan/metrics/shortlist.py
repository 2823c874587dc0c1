"""The shortest distances of every point, kept while blocks of pairs go by."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from steadygan.metrics.screening import Screened, at_most, blocks

_GROUPS = 128  # of columns: their least members say how long a short distance is at most
_SPARSE = 1 / 16  # of a block; more short distances than that are sorted out as a whole


class _Lists:
    """For every point the ``keep`` shortest distances met so far, ascending, and to whom."""

    def __init__(self, num: int, keep: int, kind: torch.dtype, device: torch.device) -> None:
        self.keep = keep
        self.values = torch.full((num, keep), torch.inf, dtype=kind, device=device)
        self.names = torch.zeros(num, keep, dtype=torch.long, device=device)

    def bound(
        self, which: slice, least: Float[Tensor, "some groups"] | None
    ) -> Float[Tensor, " some"]:
        """A length that none of the ``keep`` shortest exceeds, now that more are found."""
        known = self.values[which, -1]
        return known if least is None else torch.minimum(_kth(least, self.keep), known)

    def take_all(self, which: slice, found: Float[Tensor, "some others"], first: int) -> None:
        """Sort all of them in."""
        near = found.topk(min(self.keep, found.shape[1]), dim=1, largest=False)
        self._merge(which, near.values, near.indices + first)

    def take(
        self,
        which: slice,
        i: Int[Tensor, " hits"],
        names: Int[Tensor, " hits"],
        values: Float[Tensor, " hits"],
    ) -> None:
        """Sort in those of point i, counted from the slice's first, ascending in i."""
        if not len(i):
            return
        counts = torch.bincount(i, minlength=which.stop - which.start)
        place = torch.arange(len(i), device=i.device) - (counts.cumsum(0) - counts)[i]
        shape = len(counts), int(counts.max())
        table = torch.full(shape, torch.inf, dtype=values.dtype, device=i.device)
        others = torch.zeros(shape, dtype=torch.long, device=i.device)
        table[i, place], others[i, place] = values, names
        self._merge(which, table, others)

    def _merge(
        self,
        which: slice,
        values: Float[Tensor, "some others"],
        names: Int[Tensor, "some others"],
    ) -> None:
        both = torch.cat([self.values[which], values], dim=1)
        best = both.topk(self.keep, dim=1, largest=False)
        names = torch.cat([self.names[which], names], dim=1)
        self.values[which], self.names[which] = best.values, names.gather(1, best.indices)


def shortlist(
    p: Screened, q: Screened, keep: int
) -> tuple[Float[Tensor, "n keep"], Int[Tensor, "n keep"], float]:
    """The nearest by the low precision: squared distances, rows of q, and the largest error bound met."""
    kind = torch.float32 if p.low.element_size() < 8 else torch.float64
    lists = _Lists(len(p.points), keep, kind, p.points.device)
    band = 0.0
    for block in blocks(p, q):
        band = max(band, block.band)
        diagonal = p is q and block.rows == block.columns
        if diagonal:
            block.squared.fill_diagonal_(torch.inf)
        _sort_in(lists, block.squared, block.rows, block.columns, mirrored=p is q and not diagonal)
    return lists.values, lists.names, band


def _sort_in(
    lists: _Lists,
    squared: Float[Tensor, "rows columns"],
    rows: slice,
    columns: slice,
    *,
    mirrored: bool,
) -> None:
    of_row = lists.bound(rows, _least(squared, 1, lists.keep))[:, None]
    of_column = lists.bound(columns, _least(squared, 0, lists.keep)) if mirrored else None
    limit = of_row if of_column is None else torch.maximum(of_row, of_column)
    i, j = at_most(squared, limit)
    if len(i) > _SPARSE * squared.numel():
        lists.take_all(rows, squared, columns.start)
        if mirrored:
            lists.take_all(columns, squared.T, rows.start)
        return
    values = squared[i, j]
    near = values <= of_row[i, 0]
    lists.take(rows, i[near], j[near] + columns.start, values[near])
    if of_column is not None:
        near = values <= of_column[j]
        i, j, values = i[near], j[near], values[near]
        order = j.argsort(stable=True)
        lists.take(columns, j[order], i[order] + rows.start, values[order])


def _least(
    squared: Float[Tensor, "rows columns"], dim: int, keep: int
) -> Float[Tensor, "points groups"] | None:
    """The least of each of several groups of every row, or column; None for too few to make them.

    They are distances of that point, too, so that the k-th of them is no shorter than the k-th of
    all; and to look through them takes a fraction of the time that sorting all takes.
    """
    others = squared.shape[dim]
    if others < keep:
        return None
    groups = min(others, max(_GROUPS, 4 * keep))
    share = others // groups
    whole = squared.narrow(dim, 0, share * groups)
    if dim:
        return whole.reshape(-1, share, groups).amin(dim=1)
    return whole.reshape(share, groups, -1).amin(dim=0).T


def _kth(values: Float[Tensor, "rows others"], k: int) -> Float[Tensor, " rows"]:
    """The k-th smallest of each row; on a CPU NumPy finds it six times as fast."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.partition(values.numpy(), k - 1, axis=1)[:, k - 1])
    return values.kthvalue(k, dim=1).values
