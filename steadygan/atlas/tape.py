"""What members draw, made once for all that share a seed: batches and noise by step, as in ``train``."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from steadygan.atlas.family import Family
from steadygan.atlas.step import Draws, due_at
from steadygan.data.seeds import mix
from steadygan.penalties.placed import PlacedPenalty
from steadygan.probes.randomness import restored_randomness

_KEPT_BYTES = 2**28


class Strip(NamedTuple):
    """Consecutive batches of one seed, and noise for each placed penalty in the family's order.

    Shape: x (n, b, *event), z (n, b, latent), noise (n, b, …); n = steps · batches a step.
    """

    x: Tensor
    z: Tensor
    noise: tuple[Tensor, ...]

    @property
    def num_bytes(self) -> int:
        """What it holds."""
        return sum(t.nbytes for t in (self.x, self.z, *self.noise))


class Strips(NamedTuple):
    """Strips end to end, as one."""

    x: Tensor
    z: Tensor
    noise: tuple[Tensor, ...]

    @classmethod
    def of(cls, strips: Sequence[Strip]) -> "Strips":
        """These, in order."""
        noise = zip(*(strip.noise for strip in strips), strict=True)
        return cls(
            _end_to_end([strip.x for strip in strips]),
            _end_to_end([strip.z for strip in strips]),
            tuple(_end_to_end(own) for own in noise),
        )

    def batch(self, rows: Tensor, noisy: Sequence[int]) -> Draws:
        """Every member's batch, from its own row; of the noise only these."""
        return Draws(
            self.x.index_select(0, rows),
            self.z.index_select(0, rows),
            [self.noise[k].index_select(0, rows) for k in noisy],
        )


@dataclass(frozen=True)
class Place:
    """A stretch of one training: whose seed, after how many steps, with how many steps of D each."""

    seed: int
    start: int
    d_steps: int


class Tape:
    """Strips by place, kept while memory lasts; a strip is a function of its place alone.

    Batch n of a training is number n of the seed's stream, and the numbers inside step t come from a
    generator seeded by (seed, t): both as in ``steadygan.train``, so that a member meets the same draws.

    Args:
        family: what is drawn from, and which penalties ask for noise.
        steps: steps on a strip.
        device: where strips go.
    """

    def __init__(self, family: Family, steps: int, device: torch.device) -> None:
        self.family, self.steps, self.device = family, steps, device
        self._strips: OrderedDict[Place, Strip] = OrderedDict()

    def batches(self, d_steps: int) -> int:
        """Batches of one step."""
        return 1 if self.family.simultaneous else d_steps + 1

    def strip(self, place: Place) -> Strip:
        """The draws of that stretch."""
        strip = self._strips.get(place)
        if strip is None:
            strip = self._strips[place] = self._drawn(place)
            while sum(s.num_bytes for s in self._strips.values()) > _KEPT_BYTES:
                if len(self._strips) == 1:
                    break
                self._strips.popitem(last=False)
        self._strips.move_to_end(place)
        return strip

    def _drawn(self, place: Place) -> Strip:
        family, b = self.family, self.family.batch
        each = self.batches(place.d_steps)
        num, first = self.steps * each, place.start * each
        x, _ = family.source.draw(first * b, num * b, seed=place.seed)
        z = family.latent.sample(num * b, seed=place.seed, position=first * b)
        x, z = x.view(num, b, *x.shape[1:]), z.view(num, b, -1)
        noise = self._noise(place, x)
        return Strip(x.to(self.device), z.to(self.device), tuple(n.to(self.device) for n in noise))

    def _noise(self, place: Place, x: Tensor) -> list[Tensor]:
        placed = [
            (i, p) for i, p in enumerate(self.family.penalties) if isinstance(p, PlacedPenalty)
        ]
        if not placed:
            return []
        each = self.batches(place.d_steps)
        with restored_randomness(torch.device("cpu")):
            rows = {i: torch.zeros(len(x), *p.noise(x[0]).shape) for i, p in placed}
            for s in range(self.steps):
                step = place.start + s + 1
                due = due_at(self.family, step)
                torch.default_generator.manual_seed(mix(place.seed, step, 0))
                for j in range(place.d_steps):
                    for i, penalty in placed:
                        if i in due:
                            rows[i][s * each + j] = penalty.noise(x[s * each + j])
        return [rows[i] for i, _ in placed]


def _end_to_end(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
