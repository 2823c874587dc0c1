"""Modes: how many of the data's known parts the samples reach, and how evenly."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError
from steadygan.metrics.distances import distance_blocks
from steadygan.metrics.points import Points, checked

_FAIR_SHARE = 0.1


@dataclass(frozen=True)
class ModeCount:
    """How many modes there are, and KL(samples ‖ uniform) over modes [nats]; as a float, the modes."""

    modes: int
    reverse_kl: float

    @property
    def value(self) -> float:
        """The number of modes."""
        return float(self.modes)

    def __float__(self) -> float:
        """The number of modes."""
        return float(self.modes)


@dataclass(frozen=True)
class ModeCoverage(ModeCount):
    """With it, the share of samples close to a mode, in [0, 1]."""

    high_quality_share: float


def mode_count(fake_labels: Tensor | np.ndarray, num_modes: int) -> ModeCount:
    """How many of ``num_modes`` equally likely labels occur among the samples, and how evenly.

    modes = #{k: n_k > 0},   reverse KL = Σ_k p_k·ln(p_k·K),  p_k = n_k / n

    One occurrence is enough, as in the published tables of Stacked MNIST (26,000 samples, 1,000
    modes): give the same number of samples to compare with them. The labels come from a classifier
    or from any rule that names a sample's mode. Reverse KL is 0 for equal shares and ln K for one
    mode; by chance alone it is about (K − 1) / 2n. Cost: n.

    Args:
        fake_labels: the mode of each sample, in 0 … num_modes − 1.
        num_modes: K, how many there are.

    Shape: fake_labels (n,).

    Raises:
        DataError: for no labels, another shape, or a label out of range.

    Source: Srivastava et al. (2017), arXiv 1705.07761, section 4; Metz et al. (2017),
    arXiv 1611.02163, section 3.3.2.

    >>> mode_count(np.array([0, 0, 1, 1]), num_modes=2)
    ModeCount(modes=2, reverse_kl=0.0)
    """
    counts = _counts(fake_labels, num_modes)
    return ModeCount(int((counts > 0).sum()), _reverse_kl(counts))


def mode_coverage(
    samples: Points, centres: Points, std: float | int, *, within: float | int = 3.0
) -> ModeCoverage:
    """How many modes of known centre the samples reach, how evenly, and how many samples are near one.

    A sample is of high quality within 3·std of its nearest centre. A mode counts when its high
    quality samples are at least a tenth of its fair share n / K (and one at least): a lone stray
    sample is no mode, and the rule means the same for 8 modes and for 100. On the grid of 25 with
    2,500 samples that is 10 samples. Reverse KL is over the nearest centres of all samples, so that
    it exists even where none is of high quality; it is small for noise spread evenly over all modes,
    hence never read it alone. Cost: n·K·d.

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
    return ModeCoverage(
        modes=int((_counts(mode[good], len(c), some=False) >= enough).sum()),
        reverse_kl=_reverse_kl(_counts(mode, len(c))),
        high_quality_share=float(good.double().mean()),
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
