"""The oracle: what became of a training, from its samples and what is known of the data; never from the doctor."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from steadygan.data import Source
from steadygan.data.synthetic.synthetic import Synthetic
from steadygan.metrics.distances import distances
from steadygan.probes import run_untouched
from steadygan.types import Labels
from steadygan.ward.course import Reading

_REALS = 2000
_FAKES = 800
_NEAR = 0.95
_CELLS = 16
_SEED = 7_000_001  # of reals and latents that neither training nor watch sees


@dataclass(frozen=True)
class Oracle:
    """Reads modes, quality, evenness and variety off samples, by 800 of them against 2,000 labelled reals.

        modes      = share of the data's modes that hold at least a tenth of their own share
        good       = share of samples within 3 std of a known centre, or else as near a real as 95 % of
                     reals are to another
        reverse_kl = KL(shares of modes among samples ‖ among reals)
        variety    = distinct nearest reals of the samples / the same of as many reals

    A sample's mode is that of its nearest real: a classifier trained on real data. Modes are the
    known centres of a synthetic set, the classes of a labelled one, and otherwise cells of k-means.
    The doctor sees other reals, other latents, and none of these numbers.

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
    def of(cls, source: Source, only: tuple[int, ...] = ()) -> "Oracle":
        """The oracle of that data, or of some of its classes."""
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

    def read(self, step: int, g: nn.Module, latents: Tensor, labels: Labels | None) -> Reading:
        """How G does; a reading of nothing where its samples are not finite."""
        with torch.no_grad():
            inputs = (latents,) if labels is None else (latents, labels)
            fake = run_untouched(g, *inputs).flatten(1).float()
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
