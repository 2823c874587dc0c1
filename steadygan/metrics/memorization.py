"""Memorisation: are fakes closer to the training set than unseen reals are?"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.metrics.frechet import GROUPS, distance_of
from steadygan.metrics.intervals import Z95, around, groups_of, jackknife_error, share_interval, t95
from steadygan.metrics.moments import Moments
from steadygan.metrics.neighbours import nearest
from steadygan.metrics.points import Points, as_given, pair_as_given, warned
from steadygan.metrics.result import Interval, Result


@dataclass(frozen=True, kw_only=True)
class Memorization(Result):
    """The share of authenticity that fakes lack: 0 as unseen reals, 1 all copies.

    ``n_real`` is the training set's count. ``closer`` is the probability that a fake lies nearer to
    the training set than a validation sample, ½ for a generator that learned. ``neighbours`` names
    each fake's nearest training sample, ``distances`` says how far it is.
    """

    authenticity: float
    authenticity_interval: Interval
    of_validation: float
    closer: float
    closer_interval: Interval
    neighbours: Int[Tensor, " n"]
    distances: Float[Tensor, " n"]


def memorization(fake: Points, train: Points, validation: Points) -> Memorization:
    """How much nearer to training samples the fakes are than reals the generator never saw.

    M = 1 − A(fake) / A(validation),   A(y) = mean_j 1[‖yⱼ − x*‖ > min_{x ≠ x*} ‖x* − x‖]

    with x* the training sample nearest to yⱼ: a sample is authentic if its nearest training sample
    has another training sample nearer still. Fresh reals are authentic about half of the time,
    hence the ratio: 0 in expectation for a generator as new as the validation set, a little below
    by chance. Fakes that miss the data are authentic too; read it beside precision. The training
    set is taken as given, which is what was memorised; the interval is the delta method's over
    fakes and validation samples. Cost: (n + v + m/2)·m·d.

    Args:
        fake, train, validation: features, one sample a row; at least two for training.

    Shape: fake (n, d), train (m, d), validation (v, d).

    Raises:
        DataError: for too few samples, different dimensions, values that are not finite, or a
            validation set that is itself a part of the training set.

    Source: Alaa, van Breugel, Saveliev, van der Schaar (2022), arXiv 2102.08921, eq. 8. ``closer``:
    Meehan, Chaudhuri, Dasgupta (2020), arXiv 2004.05675, section 3. The ratio is ours.
    """
    y, x = pair_as_given(fake, train)
    x = as_given("train", train, more_than=1).to(x.device)
    v, _ = pair_as_given(validation, train)
    radius = nearest(x, k=1).distances[:, 0]
    of_fake, of_validation = nearest(y, x, 1), nearest(v, x, 1)
    apart, apart_v = of_fake.distances[:, 0], of_validation.distances[:, 0]
    new = float((apart > radius[of_fake.rows[:, 0]]).double().mean())
    new_v = float((apart_v > radius[of_validation.rows[:, 0]]).double().mean())
    if not new_v > 0:
        raise DataError(
            f"validation must be samples that are not in train, got {len(v)} of which each is a copy "
            "of one or nearer than that; hold other samples out."
        )
    value = 1 - new / new_v
    error = math.sqrt(
        new * (1 - new) / len(y) / new_v**2 + new**2 * (1 - new_v) / len(v) / new_v**3
    )
    wilson = share_interval(new * len(y), len(y))
    closer, closer_interval = _closer(apart, apart_v)
    return Memorization(
        value=value,
        interval=around(
            value, max(Z95 * error, (wilson[1] - wilson[0]) / 2 / new_v), (-math.inf, 1.0)
        ),
        n_fake=len(y),
        n_real=len(x),
        warnings=_notes(v, x),
        authenticity=new,
        authenticity_interval=wilson,
        of_validation=new_v,
        closer=closer,
        closer_interval=closer_interval,
        neighbours=of_fake.rows[:, 0],
        distances=apart,
    )


def frechet_gap(fake: Points, train: Points, validation: Points, *, groups: int = GROUPS) -> Result:
    """The Fréchet distance to unseen reals less that to training samples: above 0 where the latter were memorised.

    gap = F(fake, validation) − F(fake, train)

    at equal counts, because the distance's bias depends on them: the larger of train and validation
    is cut to a random part, the same on every call. The fakes' own part of the error is in both
    distances and mostly cancels, as the interval knows: the jackknife leaves a tenth of all three
    sets out of both distances at a time. Cost: 2·(1 + groups) Fréchet distances.

    Args:
        fake, train, validation: features, one sample a row; twice ``groups`` at least.
        groups: for the interval, >= 2.

    Shape: fake (n, d), train (m, d), validation (v, d).

    Raises:
        ConfigError: for groups below 2.
        DataError: for too few samples, different dimensions, or values that are not finite.

    Source: held-out reals as the judge of generators, Gulrajani, Raffel, Metz (2019), arXiv
    2001.03653, section 4, there with neural divergences.
    """
    if groups < 2:
        raise ConfigError(f"groups must be >= 2, got {groups}; 10 is the usual choice.")
    least = 2 * groups - 1
    y, x = (as_given(n, s, more_than=least) for n, s in (("fake", fake), ("train", train)))
    v = as_given("validation", validation, more_than=least)
    for other in (x, v):
        pair_as_given(y, other)
    size = min(len(x), len(v))
    x, v = _part(x, size), _part(v, size)

    def gap(*sets: Tensor) -> float:
        f, t, u = (Moments.of(one) for one in sets)
        return distance_of(f, u) - distance_of(f, t)

    sets = (y, x, v)
    value = gap(*sets)
    deals = [groups_of(len(one), groups, one.device) for one in sets]
    left_out = [
        gap(*(_but(one, deal[g]) for one, deal in zip(sets, deals, strict=True)))
        for g in range(groups)
    ]
    return Result(
        value=value,
        interval=around(value, t95(groups - 1) * jackknife_error(left_out)),
        n_fake=len(y),
        n_real=size,
        warnings=_notes(v, x),
    )


def _closer(a: Float[Tensor, "n"], b: Float[Tensor, "v"]) -> tuple[float, Interval]:
    """P[a < b] + ½·P[a = b] over all pairs, by ranks, with the error of a two-sample U-statistic."""
    place_a = _below(b, a)  # for each a, the share of b that is larger, ties by half
    place_b = 1 - _below(a, b)
    value = float(place_a.mean())
    parts = [p.var(correction=0) / max(1, len(p) - 1) for p in (place_a, place_b)]
    floor = 1 / (12 * min(len(a), len(b)) ** 2)  # all alike proves no certainty
    return value, around(value, Z95 * math.sqrt(float(sum(parts)) + floor), (0.0, 1.0))


def _below(of: Float[Tensor, " m"], x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    ordered = of.sort().values
    left = torch.searchsorted(ordered, x, right=False)
    right = torch.searchsorted(ordered, x, right=True)
    return 1 - (left + right).double() / (2 * len(of))


def _part(x: Num[Tensor, "n d"], size: int) -> Num[Tensor, "size d"]:
    if len(x) == size:
        return x
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(len(x)))
    return x[order[:size].to(x.device)]


def _but(x: Num[Tensor, "n d"], out: Int[Tensor, " part"]) -> Num[Tensor, "rest d"]:
    kept = torch.ones(len(x), dtype=torch.bool, device=x.device)
    kept[out] = False
    return x[kept]


def _notes(validation: Num[Tensor, "v d"], train: Num[Tensor, "m d"]) -> tuple[str, ...]:
    return tuple(
        one.replace("fake", "validation").replace("real", "train").split(";")[0] + "."
        for one in warned(validation, train)
    )
