"""The reals as a yardstick: their own statistics, taken once, against which samples are held."""

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError
from steadygan.metrics.distances import distances
from steadygan.metrics.points import checked
from steadygan.probes.clusters import Clusters

K = 5
_DUPLICATE_QUANTILE = 0.01
_REACHED = 0.1  # of a cluster's share of reals
_AROUND = 0.15  # of the reals' mean distance, beyond their fifth neighbour
_TINY = 1e-30


class Yardstick:
    """Points of the data: their distances, balls and clusters, how near neighbours come, their rank.

    Args:
        real: features, more than five.

    Raises:
        DataError: for too few points, points not finite, or points that are all the same.
    """

    def __init__(self, real: Float[Tensor, "m k"]) -> None:
        self.real = checked("the reals' features", real, more_than=K)
        between = distances(self.real, self.real)
        self.spread = _mean_of_pairs(between)
        if not bool(self.spread > 0):
            raise DataError(
                f"reals to compare with must differ, got {len(self.real)} copies of one; "
                "there is no spread to measure in."
            )
        nearest = between.fill_diagonal_(torch.inf).topk(K, dim=1, largest=False).values
        self._radius = nearest[:, -1]
        self._twin = nearest[:, 0].quantile(_DUPLICATE_QUANTILE)
        self._rank = _effective_rank(self.real)
        self._clusters = Clusters(self.real)

    def compare(self, fake: Float[Tensor, "n k"]) -> dict[str, Tensor]:
        """The signals that need no memory, as 0-d float32 tensors; NaN if a fake is not finite."""
        across, within = distances(fake, self.real), distances(fake, fake)
        dispersion = _mean_of_pairs(within) / self.spread
        within.diagonal().fill_(
            torch.inf
        )  # unlike fill_diagonal_ it is done for many at once under vmap
        nearest = within.amin(dim=1)
        inside, around = across < self._radius, across < self._radius + _AROUND * self.spread
        shares, expected = self._clusters.shares_of(fake), self._clusters.shares
        found = {
            "energy_distance": 2 * across.mean() / self.spread - dispersion - 1,
            "coverage": inside.any(dim=0).double().mean(),
            "precision": inside.any(dim=1).double().mean(),
            "nearness": around.any(dim=1).double().mean(),
            "dispersion": dispersion,
            "effective_rank": _effective_rank(fake) / self._rank,
            "modes": (shares >= _REACHED * expected).double().mean(),
            "mode_shift": 0.5 * (shares - expected).abs().sum(),
            "duplicates": (nearest < self._twin).double().mean(),
        }
        # A comparison with NaN is False, which would read as "not covered" instead of "unknown".
        return {name: _known(value, fake) for name, value in found.items()}

    def move(self, before: Float[Tensor, "n k"], after: Float[Tensor, "n k"]) -> Tensor:
        """The mean distance samples have moved, in the reals' mean distance."""
        distance: Tensor = torch.linalg.vector_norm(after - before, dim=1).mean()
        return _known(distance / self.spread, after)

    @classmethod
    def against_itself(cls, real: Float[Tensor, "m k"]) -> dict[str, float]:
        """What one half of the reals gets in the place of the fakes: about what perfect samples reach."""
        half = len(real) // 2
        return {name: float(value) for name, value in cls(real[half:]).compare(real[:half]).items()}


def _mean_of_pairs(within: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    n = len(within)
    return within.sum() / (n * (n - 1))


def _effective_rank(points: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """(Σλ)² / Σλ² from traces alone: eigenvalues would make the host wait for the device."""
    centred = points - points.mean(dim=0)
    covariance = centred.T @ centred
    return covariance.trace().square() / covariance.square().sum().clamp_min(_TINY)


def _known(value: Tensor, fake: Float[Tensor, "n k"]) -> Tensor:
    """The value in float32, NaN where a fake it was taken from is not finite."""
    return value.where(torch.isfinite(fake).all(), torch.nan).float()
