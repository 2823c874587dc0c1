"""Optimal transport between equally weighted points, exact: POT's network simplex on the few edges that matter."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import threshold

from steadygan.errors import DataError

_SMOOTHING = (5.0, 15.0, 45.0, 135.0)  # mean cost over ε, coarse to fine
_SWEEPS = 8
_NOTHING = 1e-25
_EDGES = 16  # of each row and column that the programme starts with
_FEW = 500  # points of a kind up to which all edges cost less than choosing some
_CHUNK = 2**22  # prices looked at at once
_TOLERANCE = 1e-9
_PIVOTS = 10**9  # more than ever needed: the solver must stop because it is done


def transport_cost(cost: Float[Tensor, "n m"], *, sparse: bool = True) -> float:
    """Σ πᵢⱼ·cᵢⱼ of the cheapest plan π that spreads weight 1/n from each row to 1/m on each column.

    Nearly all of the n·m edges are too dear to be used, and prices from a few rounds of Sinkhorn's
    iteration say which. The exact algorithm runs on the others; edges whose price turns out to be
    wrong are added until none is. The prices of that last programme prove that no edge left out
    could help: bad first prices cost time, never exactness.

    Args:
        cost: of every edge.
        sparse: whether to choose edges; in the plane, where many plans are nearly as cheap as the
            best, that takes longer than to look at all of them.

    Source: Bonneel, van de Panne, Paris, Heidrich (2011), doi 10.1145/2070781.2024192, in POT; prices
    by Cuturi (2013), arXiv 1306.0895.
    """
    n, m = cost.shape
    scale = float(cost.max())
    if not scale > 0:
        return 0.0
    if not sparse or max(n, m) <= _FEW:
        scale = 1.0 if 1e-3 < scale < 1e3 else scale  # one pass saved where nothing can overflow
        c = cost.cpu() if scale == 1 else cost.cpu() / scale
        return _solved(c.numpy(), n, m)[0] * scale
    c = cost.cpu() / scale
    u, v = (one.cpu() for one in prices(cost / scale))
    edges = _first_edges(c, u, v)
    while True:
        value, dual_u, dual_v = _solved(_as_sparse(c, edges), n, m)
        wrong = np.concatenate(list(_wrong_edges(c, dual_u, dual_v)))
        more = np.union1d(edges, wrong)
        if len(more) == len(edges):
            return value * scale
        edges = more


def _solved(cost: object, n: int, m: int) -> tuple[float, Tensor, Tensor]:
    """The mean cost of the best plan over the edges of ``cost``, dense or sparse, and its dual prices."""
    from ot import emd2

    # Whole numbers, whose sums are exact.
    weights = np.full(n, float(m)), np.full(m, float(n))
    value, log = emd2(*weights, cost, numItermax=_PIVOTS, log=True)
    if log["warning"] is not None:
        raise DataError(
            f"the transport of {n} to {m} points must have a best plan, got {log['warning']!r} from "
            "POT; scale the features to a sensible range."
        )
    u, v = (torch.from_numpy(np.asarray(log[name])) for name in ("u", "v"))
    return float(value) / (n * m), u, v


def _first_edges(
    c: Float[Tensor, "n m"], u: Float[Tensor, " n"], v: Float[Tensor, " m"]
) -> np.ndarray:
    """The cheapest edges of every point after prices, numbered row by row, ascending."""
    n, m = c.shape
    reduced = c - u[:, None]
    reduced -= v
    by_row = reduced.topk(min(_EDGES, m), dim=1, largest=False).indices
    by_column = reduced.topk(min(_EDGES, n), dim=0, largest=False).indices
    # A plan that always exists keeps the programme feasible.
    i, j = _corner(u.argsort(), v.argsort())
    parts = torch.arange(n)[:, None] * m + by_row, by_column * m + torch.arange(m), i * m + j
    return np.unique(torch.cat([part.flatten() for part in parts]).numpy())


def _as_sparse(c: Float[Tensor, "n m"], edges: np.ndarray) -> object:
    from scipy.sparse import coo_array

    n, m = c.shape
    return coo_array((c.numpy().ravel()[edges], (edges // m, edges % m)), shape=(n, m))


def _wrong_edges(
    c: Float[Tensor, "n m"], u: Float[Tensor, " n"], v: Float[Tensor, " m"]
) -> Iterator[np.ndarray]:
    """Edges cheaper than their prices allow, some rows at a time."""
    n, m = c.shape
    rows = max(1, _CHUNK // m)
    for start in range(0, n, rows):
        part = slice(start, start + rows)
        wrong = c[part] - u[part, None] - v < -_TOLERANCE
        yield np.flatnonzero(wrong.numpy()) + start * m


def prices(cost: Float[Tensor, "n m"]) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"]]:
    """uᵢ and vⱼ, nearly optimal for the dual problem, by Sinkhorn's iteration with falling smoothing."""
    c, (n, m) = cost.float(), cost.shape
    scale = float(c.mean())
    u, v = c.amin(dim=1), c.new_zeros(m)
    if not scale > 0:
        return u.double(), v.double()
    for share in _SMOOTHING:
        epsilon = scale / share
        v = (c - u[:, None]).amin(dim=0)  # now no exponent below is positive, and none underflows
        kernel = (u[:, None] + v).sub_(c).div_(epsilon).exp_()
        threshold(kernel, _NOTHING, 0.0, inplace=True)  # denormal numbers would halve the speed
        f, g = c.new_ones(n), c.new_ones(m)
        for _ in range(_SWEEPS):
            f = (kernel @ g).clamp_(1e-20, 1e20).reciprocal_()
            g = (f @ kernel).clamp_(1e-20, 1e20).reciprocal_().mul_(n / m)
        u, v = u + epsilon * f.log(), v + epsilon * g.log()
    return u.double(), v.double()


def _corner(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """The edges of a plan that fills columns in turn with the weight of rows in turn."""
    n, m = len(rows), len(columns)
    cuts = torch.unique(torch.cat([torch.arange(n) * m, torch.arange(m) * n]))
    return rows[(cuts // m).to(rows.device)], columns[(cuts // n).to(rows.device)]
