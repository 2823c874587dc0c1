"""Squared distances between many points in low precision, with a proven error bound.

Which of 10⁸ pairs are closer than a radius is mostly obvious. So all pairs are judged by a matrix
product in the fastest precision of the machine, and only those pairs that its error bound leaves open
are measured again, from their difference and in float64. What comes out is what float64 gives.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

_BLOCK = 2048  # rows and columns of a block: 16 MiB of float32
_CHUNK = 2**22  # numbers converted or measured at once
_FEW_DIMS = 64  # up to here the exact difference is as fast as a matrix product
# Half the distance from 1 to the next number: what rounding a result costs.
_UNIT = {
    torch.float16: 2.0**-11,
    torch.bfloat16: 2.0**-8,
    torch.float32: 2.0**-24,
    torch.float64: 2.0**-53,
}
_LARGEST_NORM = 128.0  # of a scaled point, so that no product leaves the range of float16


@dataclass(frozen=True)
class Screened:
    """One set of points, centred and rounded.

    Args:
        points: as they came, in any type.
        low: p̂, the centred points in low precision; the points themselves where ``exact``.
        squared: ‖p‖² of the centred points.
        rounding: ‖p − p̂‖.
        scale: power of two that ``low`` is multiplied by.
    """

    points: Num[Tensor, "n d"]
    low: Float[Tensor, "n d"]
    squared: Float[Tensor, " n"]
    rounding: Float[Tensor, " n"]
    scale: float = 1.0

    @property
    def exact(self) -> bool:
        """Few dimensions: distances come from differences, and there is nothing to screen."""
        return self.points.shape[1] <= _FEW_DIMS


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
    half = getattr(torch.ops.mkldnn, "_is_mkldnn_fp16_supported", None)
    return torch.float16 if half is not None and half() else torch.bfloat16


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
        return Screened(points, points.double(), none, none)
    low = torch.empty(n, d, dtype=kind, device=points.device)
    squared = torch.empty(n, dtype=torch.float64, device=points.device)
    rounding = torch.empty_like(squared)
    scale = _scale(points, centre) if kind == torch.float16 else 1.0
    for part in slices(n, max(1, _CHUNK // d)):
        moved = points[part].double() - centre
        low[part] = moved * scale
        squared[part] = moved.square().sum(1)
        rounding[part] = (moved - low[part].double() / scale).norm(dim=1)
    return Screened(points, low, squared, rounding, scale)


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
    """All pairs, block by block; for one set against itself only blocks on and right of the diagonal."""
    for rows in slices(len(a.points), _BLOCK):
        first = rows.start if a is b else 0
        for columns in slices(len(b.points), _BLOCK, first):
            yield _block(a, b, rows, columns)


def measured(
    a: Screened,
    b: Screened,
    i: Int[Tensor, " pairs"],
    j: Int[Tensor, " pairs"],
    kind: torch.dtype = torch.float64,
) -> Float[Tensor, " pairs"]:
    """‖aᵢ − bⱼ‖² of single pairs, from their difference in ``kind``."""
    found = torch.empty(len(i), dtype=torch.float64, device=i.device)
    for part in slices(len(i), max(1, _CHUNK // 8 // a.points.shape[1])):
        one, other = a.points.index_select(0, i[part]), b.points.index_select(0, j[part])
        found[part] = (one.to(kind) - other.to(kind)).square_().sum(1)
    return found


def steps(a: Screened, b: Screened) -> list[tuple[torch.dtype, float]]:
    """Precisions to measure single pairs in, coarse first, and the relative error of each."""
    single = {a.points.dtype, b.points.dtype} <= {torch.float32, torch.float16, torch.bfloat16}
    coarse = [(torch.float32, (a.points.shape[1] + 4) * 2.0**-23)] if single else []
    return [*coarse, (torch.float64, 0.0)]


def slices(length: int, step: int, first: int = 0) -> Iterator[slice]:
    """first … length in steps."""
    for start in range(first, length, step):
        yield slice(start, min(start + step, length))


def _block(a: Screened, b: Screened, rows: slice, columns: slice) -> Block:
    p, q = a.low[rows], b.low[columns]
    if a.exact:
        pairs = torch.cdist(p, q, compute_mode="donot_use_mm_for_euclid_dist")
        return Block(rows, columns, pairs.square_(), 0.0)
    kind = torch.float64 if p.dtype == torch.float64 else torch.float32
    product = (p @ q.T).to(kind)
    if a.scale * b.scale != 1:
        product *= 1 / (a.scale * b.scale)
    if a is b and rows == columns:
        product.fill_diagonal_(0)  # nobody asks for the distance to oneself
    largest = float(product.abs().max()) if p.element_size() == 2 else 0.0
    size = a.squared[rows].to(kind)[:, None] + b.squared[columns].to(kind)
    squared = torch.sub(size, product, alpha=2, out=product)
    return Block(rows, columns, squared, _band(a, b, rows, columns, p.dtype, largest))


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
