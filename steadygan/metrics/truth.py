"""The truth about samples: modes, quality, evenness and variety, from what is known of the data alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from steadygan.data import Source
from steadygan.data.synthetic.synthetic import Synthetic
from steadygan.metrics.distances import distances
from steadygan.types import Samples

_REALS = 2000
_FAKES = 800
_NEAR = 0.95
_CELLS = 16
_SEED = 7_000_001  # of reals and latents that neither training nor watch sees


T = TypeVar("T", bound="Truth")
Verdict = Literal["healthy", "failing", "neither"]

_LAST = 6
_MOST = 4


@dataclass(frozen=True)
class Reading:
    """What the oracle saw at a step; shares in [0, 1], divergence in nats."""

    step: int
    modes: float
    good: float
    reverse_kl: float
    variety: float
    finite: bool = True

    @property
    def well(self) -> bool:
        """Nothing is missing."""
        return (
            self.finite
            and self.modes >= 0.85
            and self.good >= 0.4
            and self.reverse_kl < 0.3
            and self.variety >= 0.3
        )

    @property
    def bad(self) -> bool:
        """Half of the modes gone, nearly nothing near a real, or the same few samples over and over."""
        return (
            not self.finite
            or self.modes < 0.5
            or self.good < 0.1
            or self.reverse_kl > 0.69
            or self.variety < 0.15
        )


def verdict(readings: Sequence[Reading]) -> Verdict:
    """What became of a training, by its last readings.

    Six well ones: healthy; four bad ones of six, or samples that ended up not finite: failing; else neither.
    """
    if not readings[-1].finite:
        return "failing"
    last = readings[-_LAST:]
    if all(r.well for r in last):
        return "healthy"
    return "failing" if sum(r.bad for r in last) >= _MOST else "neither"


@dataclass(frozen=True)
class Truth:
    """Reads modes, quality, evenness and variety off samples, by 800 of them against 2,000 labelled reals.

        modes      = share of the data's modes that hold at least a tenth of their own share
        good       = share of samples within 3 std of a known centre, or else as near a real as 95 % of
                     reals are to another
        reverse_kl = KL(shares of modes among samples ‖ among reals)
        variety    = distinct nearest reals of the samples / the same of as many reals

    A sample's mode is that of its nearest real: a classifier trained on real data. Modes are the
    known centres of a synthetic set, the classes of a labelled one, and otherwise cells of k-means.
    The ward's oracle and the atlas ask it; the doctor sees other reals, other latents, and none of these numbers.

    Args:
        reals: (n, d) in the network's scale.
        modes: the mode of each real.
        shares: of the modes among reals.
        near: 3 std of a centre, or the distance within which 95 % of reals have another.
        usual: distinct nearest reals of as many other reals as there are samples.
        centres: where they are known, in the network's scale.
    """

    reals: Tensor
    modes: Tensor
    shares: Tensor
    near: float
    usual: float
    centres: Tensor | None = None

    @classmethod
    def of(cls: type[T], source: Source, only: tuple[int, ...] = ()) -> T:
        """The truth of that data, or of some of its classes."""
        x, y = source.reference(_REALS, seed=_SEED)
        if only and y is not None:
            kept = torch.isin(y, torch.tensor(only))
            x, y = x[kept], y[kept]
        x = x.flatten(1)
        modes = _modes(source, x, y)
        half = len(x) // 2
        there = distances(x[half:][:_FAKES], x[:half]).argmin(dim=1)
        counts = torch.bincount(modes)
        centres, near = _near(source, x)
        return cls(
            reals=x,
            modes=modes,
            shares=counts / counts.sum(),
            near=near,
            usual=_distinct(there) / len(there),
            centres=centres,
        )

    @torch.no_grad()
    def look(self, step: int, samples: Samples) -> Reading:
        """What the samples are; a reading of nothing where they are not finite."""
        fake = samples.flatten(1).float()
        if not bool(torch.isfinite(fake).all()):
            return Reading(step, 0.0, 0.0, float("inf"), 0.0, finite=False)
        distance, nearest = distances(fake, self.reals).min(dim=1)
        if self.centres is not None:
            distance = distances(fake, self.centres).amin(dim=1)
        good = distance <= self.near
        num = len(self.shares)
        counts = torch.bincount(self.modes[nearest][good], minlength=num)
        hit = counts >= 0.1 * self.shares * len(fake)
        of_all = torch.bincount(self.modes[nearest], minlength=num) / len(fake)
        kl = torch.special.xlogy(of_all, of_all / self.shares).sum()
        return Reading(
            step,
            modes=float(hit.double().mean()),
            good=float(good.double().mean()),
            reverse_kl=max(0.0, float(kl)),
            variety=min(1.0, _distinct(nearest) / len(nearest) / self.usual),
        )


def _near(source: Source, x: Tensor) -> tuple[Tensor | None, float]:
    """Known centres in the network's scale, and how near is near."""
    if not isinstance(source, Synthetic) or source.centres is None:
        between = distances(x, x).fill_diagonal_(torch.inf)
        return None, float(between.amin(dim=1).quantile(_NEAR))
    std: float = getattr(source, "std", 0.0)
    return source.scale.to_network(source.centres), float(3 * std / source.scale.unit.mean())


def _modes(source: Source, x: Tensor, y: Tensor | None) -> Tensor:
    """Each real's mode, numbered from 0 without gaps."""
    if y is None and isinstance(source, Synthetic) and source.centres is not None:
        y = distances(source.to_data(x), source.centres).argmin(dim=1)
    if y is None:
        from sklearn.cluster import KMeans

        y = torch.as_tensor(KMeans(_CELLS, n_init=1, random_state=0).fit(x.numpy()).labels_).long()
    return torch.as_tensor(np.unique(y.numpy(), return_inverse=True)[1]).long()


def _distinct(indices: Tensor) -> int:
    return int((torch.bincount(indices) > 0).sum())
