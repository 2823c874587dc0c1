"""Duplicates: how many samples repeat another, and how many different ones a generator can make."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int, Num
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.metrics.intervals import Z95, count_interval, share_interval, wider
from steadygan.metrics.neighbours import nearest
from steadygan.metrics.points import Points, as_given, pair_as_given
from steadygan.metrics.result import Result
from steadygan.metrics.screening import at_most, blocks, fast_type, mean_of, measured, screened

_COPY = 1e-6  # of the samples' size: copies up to the rounding of a float32


@dataclass(frozen=True, kw_only=True)
class DuplicateRate(Result):
    """The share of samples with a duplicate; ``within`` is the distance that made two of them one."""

    within: float
    largest_group: int


@dataclass(frozen=True, kw_only=True)
class SupportSize(Result):
    """The effective number of different samples; infinite, with a finite lower end, where none met."""

    collisions: int
    within: float


def duplicate_rate(
    fake: Points, real: Points | None = None, *, within: float | int | None = None
) -> DuplicateRate:
    """The share of fakes that have a duplicate among the fakes.

    rate = mean_j 1[min_{i≠j} ‖yⱼ − yᵢ‖ <= within]

    By default ``within`` is half the least distance between two different reals of as many: what
    never comes as close among the data is a duplicate. Without reals only copies count, up to
    rounding. The rate rises with n: compare at equal counts. The interval is from the groups of
    duplicates, each drawn as one, and never narrower than Wilson's. Cost: n²·d/2.

    Args:
        fake, real: features, one sample a row; at least two of each.
        within: distance, >= 0 [data units]; None: from the reals.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError: for ``within`` below 0.
        DataError: for a single sample, different dimensions, or values that are not finite.

    >>> float(duplicate_rate(torch.tensor([[0.0], [0.0], [1.0], [5.0]])))
    0.5
    """
    y, limit = _prepared(fake, real, within)
    i, j = _collisions(y, limit)
    groups = _groups(len(y), i, j)
    sizes = np.bincount(groups)
    repeated = sizes[sizes > 1]
    hits, n = int(repeated.sum()), len(y)
    half = Z95 * math.sqrt(float((repeated.astype(float) ** 2).sum())) / n
    low, high = wider(share_interval(hits, n), (hits / n - half, hits / n + half))
    return DuplicateRate(
        value=hits / n,
        interval=(max(0.0, low), min(1.0, high)),
        within=limit,
        largest_group=int(sizes.max()),
        n_fake=n,
        n_real=0 if real is None else len(real),
    )


def support_size(
    fake: Points, real: Points | None = None, *, within: float | int | None = None
) -> SupportSize:
    """How many different samples the generator makes, in effect, from how often two of them coincide.

    N = n·(n − 1)/2 / c,   c the pairs of fakes closer than ``within``

    1/N is the probability that two fakes are the same: the birthday paradox counted. It is the
    inverse Simpson index, hence below the number of samples that can occur at all where some are
    more likely. Without a collision N is infinite, and the interval's lower end says what n could
    prove: about n²/7. The interval is Poisson's, or the jackknife's over samples if wider. Cost:
    n²·d/2.

    Args:
        fake, real, within: as for ``duplicate_rate``.

    Shape: fake (n, d), real (m, d).

    Raises:
        ConfigError, DataError: as for ``duplicate_rate``.

    Source: Arora, Zhang (2017), arXiv 1706.08224, section 3. They look for the batch in which half
    of all batches have a collision, by eye; we count the collisions of one large batch.

    >>> x = torch.randint(0, 50, (400, 1), generator=torch.Generator().manual_seed(0))
    >>> 45 < float(support_size(x)) < 55
    True
    """
    y, limit = _prepared(fake, real, within)
    i, j = _collisions(y, limit)
    n, found = len(y), len(i)
    pairs = n * (n - 1) / 2
    low, high = count_interval(found)
    per_sample = torch.bincount(torch.cat([i, j]), minlength=n).double()
    if found and n > 2:
        without = (found - per_sample) / ((n - 1) * (n - 2) / 2)
        error = float(((n - 1) * without.var(correction=0)).sqrt()) * pairs
        low, high = max(0.0, min(low, found - Z95 * error)), max(high, found + Z95 * error)
    notes: tuple[str, ...] = ()
    if not found:
        notes = (
            f"no two of {n} samples coincide: there are at least {pairs / high:.0f}; "
            "more samples would say more.",
        )
    return SupportSize(
        value=pairs / found if found else math.inf,
        interval=(pairs / high, pairs / low if low > 0 else math.inf),
        collisions=found,
        within=limit,
        n_fake=n,
        n_real=0 if real is None else len(real),
        warnings=notes,
    )


def _prepared(
    fake: Points, real: Points | None, within: float | int | None
) -> tuple[Num[Tensor, "n d"], float]:
    if within is not None and not 0 <= within < math.inf:
        raise ConfigError(
            f"within must be >= 0 and finite, got {within}; leave it out for the reals'."
        )
    if real is None:
        y = as_given("fake", fake, more_than=1)
    else:
        y, x = pair_as_given(fake, real, more_than=1)
    if within is not None:
        return y, float(within)
    copy = _COPY * float(y[:4096].double().square().mean().sqrt()) * y.shape[1] ** 0.5
    if real is None:
        return y, copy
    apart = nearest(x[: len(y)], k=1).distances[:, 0]
    different = apart[apart > copy]
    return y, max(copy, float(different.min()) / 2 if len(different) else 0.0)


def _collisions(
    y: Num[Tensor, "n d"], within: float
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """All pairs i < j at most ``within`` apart."""
    p = screened(y, mean_of(y), fast_type(y))
    found: list[tuple[Tensor, Tensor]] = []
    for block in blocks(p, p):
        limit = within**2 * (1 + 1e-6) + block.band
        i, j = at_most(block.squared, block.squared.new_full((len(block.squared), 1), limit))
        i, j = i + block.rows.start, j + block.columns.start
        i, j = i[i < j], j[i < j]
        close = measured(p, p, i, j) <= within**2
        found.append((i[close], j[close]))
    return torch.cat([i for i, _ in found]), torch.cat([j for _, j in found])


def _groups(n: int, i: Int[Tensor, " pairs"], j: Int[Tensor, " pairs"]) -> np.ndarray:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    edges = np.ones(len(i)), (i.cpu().numpy(), j.cpu().numpy())
    return np.asarray(connected_components(csr_array(edges, shape=(n, n)), directed=False)[1])
