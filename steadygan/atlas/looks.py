"""Looks at the samples of all members: the doctor's signals, taken as the probes of a training take them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from steadygan.atlas.ensemble import Ensemble
from steadygan.atlas.family import Family
from steadygan.data.synthetic.synthetic import Synthetic
from steadygan.errors import DataError
from steadygan.metrics.features import FeatureMap
from steadygan.metrics.truth import Reading, Truth
from steadygan.probes.yardstick import Yardstick

_PROBE_POSITION = 2**40  # of the latent stream: where a training's probes take theirs
_KEPT = 16


class Looks:
    """Compares every member's samples with its own seed's reals: ``SampleSpace`` and ``auc`` for m members.

    Reals, latents and feature map are those that ``steadygan train`` would probe with at that seed, so that a
    member's signals are the training's. Cost: a pass of G and D, and about 1.5 ms a member for 256 points
    in the plane.

    Args:
        family: whose data.
        num: samples compared, as in the recipe's ``probe.num``.
        device: of the ensemble.
    """

    def __init__(self, family: Family, num: int, device: torch.device | str = "cpu") -> None:
        self.family, self.num, self.device = family, num, torch.device(device)
        self._rulers: dict[int, _Ruler] = {}
        self._before: dict[int, Tensor] = {}
        # Where nothing is known of the data, its own modes would be a guess that costs a clustering.
        known = isinstance(family.source, Synthetic) and family.source.centres is not None
        self._truth = Truth.of(family.source) if known else None

    def measure(self, ensemble: Ensemble) -> list[dict[str, float]]:
        """One row of signals a slot, at the members' present weights; NaN where samples are not finite."""
        members = [slot.member for slot in ensemble.slots]
        rulers = [self._ruler(member.seed) for member in members]
        z = torch.stack([ruler.latents for ruler in rulers])
        fake = ensemble.generate(z)
        real = ensemble.judge(torch.stack([ruler.real for ruler in rulers]))
        areas = area(real, ensemble.judge(fake)).tolist()
        rows = []
        for slot, (member, ruler, x) in enumerate(zip(members, rulers, fake, strict=True)):
            features = ruler.features(x.float())
            row = {name: float(v) for name, v in ruler.yardstick.compare(features).items()}
            before = self._before.get(member.number)
            if before is not None:
                row["fixed_z_drift"] = float(ruler.yardstick.move(before, features))
            if bool(torch.isfinite(features).all()):
                self._before[member.number] = features
            rows.append(row | {"auc": areas[slot]})
        return rows

    def truths(self, ensemble: Ensemble, slots: Sequence[int]) -> dict[int, Reading]:
        """What is known to be true of these slots' samples, for synthetic sets with modes; empty for others."""
        if self._truth is None or not slots:
            return {}
        members = [slot.member for slot in ensemble.slots]
        z = torch.stack([self._ruler(member.seed).latents for member in members])
        fake = ensemble.generate(z).cpu()
        return {n: self._truth.look(ensemble.slots[n].step, fake[n]) for n in slots}

    def forget(self, number: int) -> None:
        """Drop what is remembered of a member that is done."""
        self._before.pop(number, None)

    def _ruler(self, seed: int) -> "_Ruler":
        if seed not in self._rulers:
            while len(self._rulers) >= _KEPT:
                del self._rulers[next(iter(self._rulers))]
            self._rulers[seed] = _Ruler(self.family, seed, self.num, self.device)
        return self._rulers[seed]


class _Ruler:
    """What one seed's samples are compared with."""

    def __init__(self, family: Family, seed: int, num: int, device: torch.device) -> None:
        real, _ = family.source.reference(2 * num, seed=seed)
        half = len(real) // 2
        if half < 12:
            raise DataError(
                f"an ensemble needs at least 24 reals to compare with, got {len(real)}."
            )
        real = real.to(device)
        self.features = FeatureMap.fit(real[:half])
        self.real = real[half:]
        self.yardstick = Yardstick(self.features(self.real))
        self.latents = family.latent.sample(half, seed=seed, position=_PROBE_POSITION).to(device)


def area(real: Tensor, fake: Tensor) -> Tensor:
    """P(r > f) + ½·P(r = f) for each member's logits, from ranks; NaN where one is not finite.

    Shape: real (m, n), fake (m, k) -> (m,).
    """
    ordered = fake.sort(dim=1).values
    below = torch.searchsorted(ordered, real.contiguous())
    upto = torch.searchsorted(ordered, real.contiguous(), right=True)
    found = (below + upto).double().mean(1) / (2 * fake.shape[1])
    finite = torch.isfinite(real).all(1) & torch.isfinite(fake).all(1)
    return torch.where(finite, found, torch.nan)
