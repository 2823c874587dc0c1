"""The data cut into clusters, once, to ask of samples which of them they reach."""

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.metrics.distances import distances

_MOST = 20
_POINTS_EACH = 12
_FEWEST = 4
_ONE = 0.05  # of the mean distance between points: centres nearer than that share a mode
_ROUNDS = 25


class Clusters:
    """k-means clusters of points, and the share of the points in each.

    k is 20, or fewer where that would leave less than a dozen points to a cluster. Centres start as in
    k-means++, from a fixed seed, and move 25 times. Clusters of fewer than four points are outliers
    that no other sample needs to reach: their points go to their neighbours. A mode far narrower than
    the data is cut in pieces by k-means, and which piece a sample comes to lie in means nothing: chains of
    centres less than a twentieth of the points' mean distance apart become one. The clusters still need not
    be the data's own modes; a mode that samples miss leaves those that lie in it empty all the same.

    Cost: n·k distances for n points; about 30 times as much when made.

    Args:
        points: the data's, at least two that differ.

    Shape: points (n, dims).

    Source: Arthur, Vassilvitskii (2007), "k-means++".

    >>> two = Clusters(torch.cat([torch.zeros(12, 1), torch.ones(36, 1)]))
    >>> sorted(two.shares.tolist())
    [0.25, 0.75]
    """

    def __init__(self, points: Float[Tensor, "n dims"]) -> None:
        self.centres = _scattered(points, max(2, min(_MOST, len(points) // _POINTS_EACH)))
        for _ in range(_ROUNDS):
            members = self._members(points)
            sizes = members.sum(dim=0)[:, None]
            self.centres = torch.where(
                sizes > 0, members.T @ points / sizes.clamp_min(1), self.centres
            )
        sizes = self._members(points).sum(dim=0)
        # Of few points none may make a cluster that counts: then the largest ones stand for all.
        self.centres = self.centres[sizes >= sizes.amax().clamp_max(_FEWEST)]
        self._join(points, _ONE * distances(points, points).mean())
        self.shares = self.shares_of(points)

    def shares_of(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " k"]:
        """The share of the points nearest to each centre."""
        return self._members(points).mean(dim=0)

    def _join(self, points: Float[Tensor, "n dims"], gap: Float[Tensor, ""]) -> None:
        """The mean of their points for each chain of centres with steps below ``gap``; others stay as they are."""
        linked = (distances(self.centres, self.centres) < gap).to(points.dtype)
        linked.fill_diagonal_(1)
        for _ in range(len(linked).bit_length()):
            linked = (linked @ linked > 0).to(points.dtype)
        first = linked.argmax(dim=1)
        heads = first == torch.arange(len(first), device=first.device)
        if bool(heads.all()):
            return
        members = self._members(points) @ linked[:, heads]
        self.centres = members.T @ points / members.sum(dim=0)[:, None]

    def _members(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, "n k"]:
        """1 where a point belongs to a cluster; counted so, nothing waits for the device."""
        nearest = distances(points, self.centres).argmin(dim=1)
        numbers = torch.arange(len(self.centres), device=points.device)
        return (nearest[:, None] == numbers).to(points.dtype)


def _scattered(points: Float[Tensor, "n dims"], num: int) -> Float[Tensor, "k dims"]:
    """At most ``num`` of the points, each drawn by its squared distance to those before it."""
    generator = torch.Generator().manual_seed(0)
    chosen = [int(torch.randint(len(points), (), generator=generator))]
    left = torch.full((len(points),), torch.inf, dtype=points.dtype, device=points.device)
    while len(chosen) < num:
        left = torch.minimum(left, distances(points, points[chosen[-1:]]).square()[:, 0])
        if not bool(left.sum() > 0):
            break  # no others are left that differ
        chosen.append(int(torch.multinomial(left.cpu(), 1, generator=generator)))
    return points[chosen]
