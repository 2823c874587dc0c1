"""Euclidean distances between many points, a block of rows at a time, so that memory stays bounded."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 2**22  # distances held at once: 32 MiB in float64
_FEW_DIMS = 64  # up to here the exact difference is as fast as a matrix product
_NEAR = 1e-6


def distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """‖aᵢ − bⱼ‖ from the differences themselves: exact for points that nearly coincide. Cost: n·m·d."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def distance_blocks(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]
) -> Iterator[tuple[slice, Float[Tensor, "rows m"]]]:
    """‖aᵢ − bⱼ‖ for consecutive rows i and all j: which rows, and their distances.

    In many dimensions ‖a − b‖² = ‖a‖² + ‖b‖² − 2·a·b, a matrix product. That cancels where the two
    points nearly coincide; those pairs are computed again from their difference.
    """
    exact = a.shape[1] <= _FEW_DIMS
    if not exact:
        centre = b.mean(dim=0)  # distances do not change, the norms that cancel become small
        a, b = a - centre, b - centre
    rows = max(1, _BLOCK // len(b))
    for start in range(0, len(a), rows):
        which = slice(start, min(start + rows, len(a)))
        yield which, distances(a[which], b) if exact else _by_product(a[which], b)


def pair_distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """‖aᵢ − bⱼ‖ of one block, the cheapest way that is exact; centre the points first."""
    return distances(a, b) if a.shape[1] <= _FEW_DIMS else _by_product(a, b)


def mean_between(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """The mean distance between a point of one set and a point of the other."""
    total = torch.stack([block.sum() for _, block in distance_blocks(a, b)]).sum()
    return total / (len(a) * len(b))


def mean_within(a: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """The mean distance between two different points of a set, n >= 2: a U-statistic, without bias."""
    return mean_between(a, a) * (len(a) / (len(a) - 1))


def neighbour_radius(a: Float[Tensor, "n d"], k: int) -> Float[Tensor, " n"]:
    """The distance of each point to its k-th nearest neighbour among the others, n > k."""
    radii = []
    for which, block in distance_blocks(a, a):
        own = torch.arange(which.start, which.stop, device=a.device)
        block[own - which.start, own] = torch.inf
        radii.append(block.topk(k, dim=1, largest=False).values[:, -1])
    return torch.cat(radii)


def _by_product(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    size = a.square().sum(1)[:, None] + b.square().sum(1)
    squared = torch.addmm(size, a, b.T, alpha=-2)
    near = (squared < _NEAR * size).nonzero()
    for pairs in torch.split(near, max(1, _BLOCK // a.shape[1])):
        i, j = pairs.unbind(1)
        squared[i, j] = (a[i] - b[j]).square().sum(1)
    return squared.clamp_(min=0).sqrt_()
