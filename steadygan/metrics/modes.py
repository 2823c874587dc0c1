"""Modes: how many of the data's known parts the samples reach, and how evenly."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError
from steadygan.metrics.distances import distance_blocks
from steadygan.metrics.intervals import Z95, around, share_interval
from steadygan.metrics.points import Points, checked
from steadygan.metrics.result import Interval, Result

_FAIR_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class ModeCount(Result):
    """How many modes there are, the value, and KL(samples ‖ uniform) over modes [nats]."""

    modes: int
    reverse_kl: float
    reverse_kl_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class ModeCoverage(ModeCount):
    """With it, the share of samples close to a mode, in [0, 1]."""

    high_quality_share: float
    high_quality_interval: Interval


def mode_count(fake_labels: Tensor | np.ndarray, num_modes: int) -> ModeCount:
    """How many of ``num_modes`` equally likely labels occur among the samples, and how evenly.

    modes = #{k: n_k > 0},   reverse KL = Σ_k p_k·ln(p_k·K),  p_k = n_k / n

    One occurrence is enough, as in the published tables of Stacked MNIST (26,000 samples, 1,000
    modes): give the same number of samples to compare with them. The labels come from a classifier
    or from any rule that names a sample's mode. Reverse KL is 0 for equal shares and ln K for one
    mode; by chance alone it is about (K − 1) / 2n. The interval is of the modes that the generator
    can make: never fewer than were seen, and as many more as the modes seen once and twice suggest
    (Chao's estimate). That of the reverse KL is the delta method's. Cost: n.

    Args:
        fake_labels: the mode of each sample, in 0 … num_modes − 1.
        num_modes: K, how many there are.

    Shape: fake_labels (n,).

    Raises:
        DataError: for no labels, another shape, or a label out of range.

    Source: Srivastava et al. (2017), arXiv 1705.07761, section 4; Metz et al. (2017),
    arXiv 1611.02163, section 3.3.2. Interval: Chao (1987), doi 10.2307/2531532, eq. 7 and 12.

    >>> found = mode_count(np.array([0, 0, 1, 1]), num_modes=2)
    >>> found.modes, found.reverse_kl
    (2, 0.0)
    """
    counts = _counts(fake_labels, num_modes)
    modes, n = int((counts > 0).sum()), int(counts.sum())
    return ModeCount(
        value=float(modes),
        interval=(float(modes), min(float(num_modes), modes + _unseen(counts))),
        n_fake=n,
        modes=modes,
        reverse_kl=_reverse_kl(counts),
        reverse_kl_interval=_reverse_kl_interval(counts),
        warnings=(f"{n} samples cannot show {num_modes} modes.",) if n < num_modes else (),
    )


def mode_coverage(
    samples: Points, centres: Points, std: float | int, *, within: float | int = 3.0
) -> ModeCoverage:
    """How many modes of known centre the samples reach, how evenly, and how many samples are near one.

    A sample is of high quality within 3·std of its nearest centre. A mode counts when its high
    quality samples are at least a tenth of its fair share n / K (and one at least): a lone stray
    sample is no mode, and the rule means the same for 8 modes and for 100. On the grid of 25 with
    2,500 samples that is 10 samples. Reverse KL is over the nearest centres of all samples, so that
    it exists even where none is of high quality; it is small for noise spread evenly over all modes,
    hence never read it alone. The modes' interval counts those that are above, and that may be
    above, a tenth of a fair share by each mode's own 95 % interval; the others are Wilson's and the
    delta method's. Cost: n·K·d.

    Args:
        samples: one a row, in the coordinates of the centres.
        centres: one a row.
        std: standard deviation of a mode in each coordinate, >= 0 [data units].
        within: how many ``std`` from its centre a sample still belongs to a mode. 3 holds 98.9 % of
            a Gaussian in the plane, but almost nothing of one in 16 dimensions.

    Shape: samples (n, d), centres (K, d).

    Raises:
        DataError: for no samples, different dimensions, values that are not finite, or std < 0.

    Source: Srivastava et al. (2017), arXiv 1705.07761, section 4.1, where one high quality sample
    makes a mode; that counts strays, so we ask for a tenth of a fair share.

    >>> ring = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    >>> found = mode_coverage(ring[:2].repeat(50, 1), ring, std=0.1)
    >>> found.modes, found.high_quality_share
    (2, 1.0)
    """
    x, c = checked("samples", samples), checked("centres", centres)
    if x.shape[1] != c.shape[1]:
        raise DataError(
            f"samples and centres must have the same number of coordinates, got {x.shape[1]} and "
            f"{c.shape[1]}; give both in the data's own coordinates."
        )
    if not 0 <= std < math.inf:
        raise DataError(f"std must be >= 0 and finite, got {std}; give the modes' own width.")
    nearest = [block.min(dim=1) for _, block in distance_blocks(x, c.to(x.device))]
    mode = torch.cat([found.indices for found in nearest])
    good = torch.cat([found.values for found in nearest]) <= within * std
    enough = max(1.0, _FAIR_SHARE * len(x) / len(c))
    counts, share = _counts(mode, len(c)), float(good.double().mean())
    in_mode = _counts(mode[good], len(c), some=False)
    modes = int((in_mode >= enough).sum())
    return ModeCoverage(
        value=float(modes),
        interval=_modes_interval(modes, in_mode, len(x), enough),
        n_fake=len(x),
        modes=modes,
        reverse_kl=_reverse_kl(counts),
        reverse_kl_interval=_reverse_kl_interval(counts),
        high_quality_share=share,
        high_quality_interval=share_interval(share * len(x), len(x)),
    )


def _counts(
    labels: Tensor | np.ndarray, num_modes: int, *, some: bool = True
) -> Float[Tensor, " modes"]:
    y = torch.as_tensor(labels)
    if y.dim() != 1 or y.is_floating_point() or (some and not len(y)):
        raise DataError(
            f"labels must be whole numbers of shape (n,) with n >= 1, got {y.dtype} of shape "
            f"{tuple(y.shape)}; take the arg max of a classifier's output."
        )
    if len(y) and not 0 <= int(y.min()) <= int(y.max()) < num_modes:
        raise DataError(
            f"labels must lie in 0 … {num_modes - 1}, got {int(y.min())} … {int(y.max())}; "
            "check num_modes."
        )
    return torch.bincount(y.long(), minlength=num_modes).double()


def _reverse_kl(counts: Float[Tensor, " modes"]) -> float:
    p = counts / counts.sum()
    return max(0.0, float(torch.special.xlogy(p, p * len(p)).sum()))


def _reverse_kl_interval(counts: Float[Tensor, " modes"]) -> Interval | None:
    """Of Σ p·ln(p·K): a sample in mode k contributes ln(p_k·K)."""
    n, value = float(counts.sum()), _reverse_kl(counts)
    if n < 2:
        return None
    p = counts / n
    log = torch.where(p > 0, p * len(p), 1.0).log()
    variance = float((p * log.square()).sum() - (p * log).sum().square())
    # Where all shares are equal that is 0, and what is left is chance: (K − 1)/2n, of χ².
    chance = (2 * (len(p) - 1)) ** 0.5 / (2 * n)
    return around(
        value, Z95 * math.hypot(math.sqrt(max(0.0, variance) / n), chance), (0.0, math.inf)
    )


def _unseen(counts: Float[Tensor, " modes"]) -> float:
    """The most modes, at 95 %, that exist beyond those seen."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    if not once:
        return 0.0
    ratio = once / max(1, twice)
    missing = once**2 / (2 * twice) if twice else once * (once - 1) / 2
    if not missing:
        return 1.0
    variance = max(1, twice) * (ratio**2 / 2 + ratio**3 + ratio**4 / 4)
    return missing * math.exp(Z95 * math.sqrt(math.log(1 + variance / missing**2)))


def _modes_interval(modes: int, counts: Float[Tensor, " modes"], n: int, enough: float) -> Interval:
    ends = [share_interval(float(one), n) for one in counts]
    low = sum(end[0] * n >= enough for end in ends)
    return float(min(modes, low)), float(max(modes, sum(end[1] * n >= enough for end in ends)))
