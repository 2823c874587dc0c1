"""Means over pairs of different samples (U-statistics), and their error without a pair counted twice."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from steadygan.metrics.intervals import Z95, around
from steadygan.metrics.result import Interval
from steadygan.metrics.screening import slices

Pairwise = Callable[
    [Float[Tensor, "rows d"], Float[Tensor, "columns d"]], Float[Tensor, "rows columns"]
]
_ROWS = 2048  # of a block: 32 MiB


@dataclass(frozen=True)
class PairSums:
    """Σ_j h(xᵢ, ·) for every sample: within its own set, itself left out, and over the other set."""

    fake_fake: Float[Tensor, " n"]
    fake_real: Float[Tensor, " n"]
    real_fake: Float[Tensor, " m"]
    real_real: Float[Tensor, " m"]

    def statistic(
        self, of: Callable[[Tensor, Tensor, Tensor], Tensor]
    ) -> tuple[float, Interval | None]:
        """A function of the three mean values (fake-fake, real-real, fake-real), with its 95 % interval.

        value ± 1.96·s with the jackknife that leaves out one sample, and all pairs that it is in, at
        a time. It needs nothing but the sums, and where the distributions are equal, and the
        statistic has no first-order part, it errs to the wide side. None under three of a kind.
        """
        n, m = len(self.fake_fake), len(self.real_real)
        ff, rr, fr = self.fake_fake.sum(), self.real_real.sum(), self.fake_real.sum()
        value = float(of(ff / (n * (n - 1)), rr / (m * (m - 1)), fr / (n * m)))
        if min(n, m) < 3:
            return value, None
        without_fake = of(
            (ff - 2 * self.fake_fake) / ((n - 1) * (n - 2)),
            rr / (m * (m - 1)),
            (fr - self.fake_real) / ((n - 1) * m),
        )
        without_real = of(
            ff / (n * (n - 1)),
            (rr - 2 * self.real_real) / ((m - 1) * (m - 2)),
            (fr - self.real_fake) / (n * (m - 1)),
        )
        # (g − 1)/g · Σ (θ₍ᵢ₎ − mean)² for g groups of one
        variance = (n - 1) * without_fake.var(correction=0) + (m - 1) * without_real.var(
            correction=0
        )
        return value, around(value, Z95 * float(variance) ** 0.5)


def pair_sums(fake: Float[Tensor, "n d"], real: Float[Tensor, "m d"], h: Pairwise) -> PairSums:
    """The sums of a symmetric h, a block at a time; every pair within a set is computed once.

    Cost: (n²/2 + m²/2 + n·m) of h.
    """
    fake_real, real_fake = _between(fake, real, h)
    return PairSums(_within(fake, h), fake_real, real_fake, _within(real, h))


def _within(x: Float[Tensor, "n d"], h: Pairwise) -> Float[Tensor, " n"]:
    sums = x.new_zeros(len(x))
    for rows in slices(len(x), _ROWS):
        for columns in slices(len(x), _ROWS, rows.start):
            block = h(x[rows], x[columns])
            if rows == columns:
                sums[rows] += block.fill_diagonal_(0).sum(dim=1)
            else:
                sums[rows] += block.sum(dim=1)
                sums[columns] += block.sum(dim=0)
    return sums


def _between(
    fake: Float[Tensor, "n d"], real: Float[Tensor, "m d"], h: Pairwise
) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"]]:
    of_fake, of_real = fake.new_zeros(len(fake)), real.new_zeros(len(real))
    for rows in slices(len(fake), _ROWS):
        for columns in slices(len(real), _ROWS):
            block = h(fake[rows], real[columns])
            of_fake[rows] += block.sum(dim=1)
            of_real[columns] += block.sum(dim=0)
    return of_fake, of_real
