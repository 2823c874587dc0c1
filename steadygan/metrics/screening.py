"""Squared distances between many points in low precision, with a proven error bound.

Which of 10⁸ pairs are closer than a radius is mostly obvious. So all pairs are judged by a matrix
product in the fastest precision of the machine, and only those pairs that its error bound leaves open
are measured again, from their difference and in float64. What comes out is what float64 gives.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

_BLOCK = 2048  # rows and columns of a block: 16 MiB of float32
_CHUNK = 2**17  # numbers converted or measured at once: what a core's cache holds, in float64
_FEW_DIMS = 2  # up to here the exact difference is as fast as a matrix product
_Sheets = dict[str, Tensor]
# Half the distance from 1 to the next number: what rounding a result costs.
_UNIT = {
    torch.float16: 2.0**-11,
    torch.bfloat16: 2.0**-8,
    torch.float32: 2.0**-24,
    torch.float64: 2.0**-53,
}
_LARGEST_NORM = 128.0  # of a scaled point, so that no product leaves the range of float16
# A difference in float32 is wrong by its last place; squared and summed in float64, by little more than twice that.
_SINGLE = 2.0**-22


@dataclass(frozen=True)
class Screened:
    """One set of points, centred and rounded.

    Args:
        points: as they came, in any type.
        low: p̂, the centred points in low precision; the points themselves where ``exact``.
        squared: ‖p‖² of the centred points.
        rounding: ‖p − p̂‖.
        centre: that was taken off before rounding.
        scale: power of two that ``low`` is multiplied by.
    """

    points: Num[Tensor, "n d"]
    low: Float[Tensor, "n d"]
    squared: Float[Tensor, " n"]
    rounding: Float[Tensor, " n"]
    centre: Float[Tensor, " d"]
    scale: float = 1.0

    @property
    def exact(self) -> bool:
        """Few dimensions: distances come from differences, and there is nothing to screen."""
        return self.points.shape[1] <= _FEW_DIMS

    @property
    def num(self) -> int:
        """How many points."""
        return len(self.points)

    def part(self, rows: Int[Tensor, " some"]) -> "Screened":
        """Some of the points, without rounding them again."""
        return replace(
            self,
            points=self.points[rows],
            low=self.low[rows],
            squared=self.squared[rows],
            rounding=self.rounding[rows],
        )


@dataclass(frozen=True)
class Block:
    """``squared[i, j]`` is ‖a − b‖² of row i and column j, wrong by ``band`` at most."""

    rows: slice
    columns: slice
    squared: Float[Tensor, "rows columns"]
    band: float


def fast_type(*sets: Num[Tensor, "_ d"]) -> torch.dtype:
    """The precision to screen in: 16 bits where the processor multiplies these in tiles, else float32.

    float16 before bfloat16, which is as fast and rounds eight times as coarsely.

    Elsewhere than on a CPU, where the caller let float32 products lose digits, and for numbers whose
    squares float32 cannot hold, float64: the bound would not hold.
    """
    if sets[0].device.type != "cpu" or torch.get_float32_matmul_precision() != "highest":
        return torch.float64
    sizes = [float(x.max().double().abs().maximum(x.min().double().abs())) for x in sets]
    if not all(1e-12 < size < 1e15 for size in sizes):
        return torch.float64
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)
    if tiles is None or not tiles():
        return torch.float32
    half = getattr(torch.cpu, "_is_amx_fp16_supported", None)
    return torch.float16 if half is not None and half() else torch.bfloat16


def both_screened(
    a: Num[Tensor, "n d"], b: Num[Tensor, "m d"], kind: torch.dtype | None = None
) -> tuple[Screened, Screened]:
    """Both sets around the mean of ``b``, in the machine's fastest precision unless another is named."""
    kind, centre = kind if kind is not None else fast_type(a, b), mean_of(b)
    return screened(a, centre, kind), screened(b, centre, kind)


def screened(
    points: Num[Tensor, "n d"],
    centre: Float[Tensor, " d"],
    kind: torch.dtype,
) -> Screened:
    """Centre (which changes no distance and makes the products that cancel small) and round.

    Beside ``points`` this holds n·d numbers of the low precision, and little else.
    """
    n, d = points.shape
    if d <= _FEW_DIMS:
        none = torch.zeros(n, dtype=torch.float64, device=points.device)
        return Screened(points, points.double(), none, none, centre)
    low = torch.empty(n, d, dtype=kind, device=points.device)
    squared = torch.empty(n, dtype=torch.float64, device=points.device)
    rounding = torch.empty_like(squared)
    scale = _scale(points, centre) if kind == torch.float16 else 1.0
    for part in slices(n, max(1, _CHUNK // d)):
        moved = points[part].double() - centre
        squared[part] = torch.linalg.vecdot(moved, moved)
        low[part] = moved.mul_(scale)
        moved.sub_(low[part])
        rounding[part] = torch.linalg.vecdot(moved, moved).sqrt_() / scale
    return Screened(points, low, squared, rounding, centre, scale)


def recentred(a: Screened) -> Screened:
    """The same set around its own mean, where that makes it much smaller: samples of a collapsed generator."""
    if a.exact:
        return a
    mean = mean_of(a.points)
    if 2 * float((mean - a.centre).square().sum()) < float(a.squared.mean()):
        return a
    return screened(a.points, mean, a.low.dtype)


def _scale(points: Num[Tensor, "n d"], centre: Float[Tensor, " d"]) -> float:
    """The power of two under which no centred point is longer than ``_LARGEST_NORM``."""
    largest = max(float(points.max()), -float(points.min())) + float(centre.abs().max())
    longest = largest * math.sqrt(points.shape[1])
    return 2.0 ** math.floor(math.log2(_LARGEST_NORM / longest)) if longest > 0 else 1.0


def mean_of(points: Num[Tensor, "n d"]) -> Float[Tensor, " d"]:
    """The mean in float64, a chunk at a time."""
    total = torch.zeros(points.shape[1], dtype=torch.float64, device=points.device)
    for part in slices(len(points), max(1, _CHUNK // points.shape[1])):
        total += points[part].double().sum(dim=0)
    return total / len(points)


def blocks(a: Screened, b: Screened) -> Iterator[Block]:
    """All pairs, block by block; for one set against itself only blocks on and right of the diagonal.

    A block's memory is used again for the next one: what is needed of it must be taken before.
    """
    kept: _Sheets = {}
    for rows in slices(len(a.points), _BLOCK):
        first = rows.start if a is b else 0
        for columns in slices(len(b.points), _BLOCK, first):
            yield _block(a, b, rows, columns, kept)


def finely(a: Screened, b: Screened, block: Block) -> Block:
    """The same block by a product in float64, whose band is next to nothing."""
    p = screened(a.points[block.rows], a.centre, torch.float64)
    q = screened(b.points[block.columns], b.centre, torch.float64)
    found = _block(p, q, slice(0, p.num), slice(0, q.num), {})
    return replace(found, rows=block.rows, columns=block.columns)


def at_most(
    values: Float[Tensor, "rows columns"], limit: Float[Tensor, "rows #columns"]
) -> tuple[Int[Tensor, " hits"], Int[Tensor, " hits"]]:
    """Row and column, row after row, of the values that are at most their limit.

    On a CPU through NumPy, whose comparison and whose search for the few True are four times as fast.
    """
    if values.device.type == "cpu":
        flat = torch.from_numpy(np.flatnonzero(np.less_equal(values.numpy(), limit.numpy())))
    else:
        flat = (values <= limit).view(-1).nonzero()[:, 0]
    columns = values.shape[1]
    return torch.div(flat, columns, rounding_mode="floor"), flat % columns


def measured(
    a: Screened,
    b: Screened,
    i: Int[Tensor, " pairs"],
    j: Int[Tensor, " pairs"],
    kind: torch.dtype = torch.float64,
) -> Float[Tensor, " pairs"]:
    """‖aᵢ − bⱼ‖² of single pairs, from their difference in ``kind``, squared and summed in float64."""
    found = torch.empty(len(i), dtype=torch.float64, device=i.device)
    for part in slices(len(i), max(1, _CHUNK // a.points.shape[1])):
        one, other = a.points.index_select(0, i[part]), b.points.index_select(0, j[part])
        apart = one.to(kind).sub_(other.to(kind)).double()
        found[part] = torch.linalg.vecdot(apart, apart)
    return found


def steps(a: Screened, b: Screened) -> list[tuple[torch.dtype, float]]:
    """Precisions to measure single pairs in, coarse first, and the relative error of each."""
    single = {a.points.dtype, b.points.dtype} <= {torch.float32, torch.float16, torch.bfloat16}
    coarse = [(torch.float32, _SINGLE)] if single else []
    return [*coarse, (torch.float64, 0.0)]


def slices(length: int, step: int, first: int = 0) -> Iterator[slice]:
    """first … length in steps."""
    for start in range(first, length, step):
        yield slice(start, min(start + step, length))


def _block(a: Screened, b: Screened, rows: slice, columns: slice, kept: _Sheets) -> Block:
    p, q = a.low[rows], b.low[columns]
    if a.exact:
        pairs = torch.cdist(p, q, compute_mode="donot_use_mm_for_euclid_dist")
        return Block(rows, columns, pairs.square_(), 0.0)
    kind = torch.float64 if p.dtype == torch.float64 else torch.float32
    product = torch.mm(p, q.T, out=_sheet(kept, "product", p, q, p.dtype))
    if a is b and rows == columns:
        product.fill_diagonal_(0)  # nobody asks for the distance to oneself
    unit, largest = 1 / (a.scale * b.scale), 0.0
    if p.element_size() == 2:
        largest = unit * float(torch.stack(torch.aminmax(product)).abs().max())
        product = _sheet(kept, "wide", p, q, kind).copy_(product)
    squared = _sheet(kept, "squared", p, q, kind)
    size_a, size_b = a.squared[rows].to(kind)[:, None], b.squared[columns].to(kind)
    torch.add(size_a, size_b, out=squared).sub_(product, alpha=2 * unit)
    return Block(rows, columns, squared, _band(a, b, rows, columns, p.dtype, largest))


def _sheet(kept: _Sheets, name: str, p: Tensor, q: Tensor, kind: torch.dtype) -> Tensor:
    """Memory for one number a pair, the same for every block: asking the system for it takes longer than filling it."""
    size = len(p) * len(q)
    if name not in kept or len(kept[name]) < size:
        kept[name] = torch.empty(size, dtype=kind, device=p.device)
    return kept[name][:size].view(len(p), len(q))


def _band(
    a: Screened, b: Screened, rows: slice, columns: slice, kind: torch.dtype, largest: float
) -> float:
    """|p·q − p̂·q̂| <= ‖p − p̂‖·‖q‖ + ‖p̂‖·‖q − q̂‖ by Cauchy and Schwarz; then d terms are summed, and rounded."""
    size_a = math.sqrt(float(a.squared[rows].max()))
    size_b = math.sqrt(float(b.squared[columns].max()))
    off_a, off_b = float(a.rounding[rows].max()), float(b.rounding[columns].max())
    unit = _UNIT[torch.float64 if kind == torch.float64 else torch.float32]
    rounded = off_a * size_b + (size_a + off_a) * off_b
    summed = (a.points.shape[1] + 2) * unit * (size_a + off_a) * (size_b + off_b)
    # A result of 16 bits is rounded once more, the least of them to a fixed grid.
    kept = 0.0
    if kind in (torch.float16, torch.bfloat16):
        kept = _UNIT[kind] * largest / (1 - _UNIT[kind]) + 2.0**-25 / (a.scale * b.scale)
    return 2 * (rounded + summed + kept) + 8 * unit * (size_a + size_b) ** 2
