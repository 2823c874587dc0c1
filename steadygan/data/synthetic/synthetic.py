"""What synthetic sets share: points drawn block by block, and a known truth."""

from abc import abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.scale import Affine
from steadygan.data.seeds import Purpose, generator_at, in_blocks, mix
from steadygan.data.source import Fingerprint, Source, checksum
from steadygan.types import Labels, Samples


@dataclass(frozen=True)
class Synthetic(Source):
    """Points made up without end. Subclasses are frozen dataclasses that say how one block is made.

    The truth (``centres``, ``std``) is stated in the set's own coordinates: compare it with
    ``to_data(samples)``.
    """

    @cached_property
    def centres(self) -> Float[Tensor, "modes *event"] | None:
        """The modes, in the data's coordinates; None where the set has none."""
        return None

    @cached_property
    @abstractmethod
    def scale(self) -> Affine:
        """Brings the data's coordinates to about zero mean and unit variance."""

    @abstractmethod
    def block(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """``BLOCK`` points (BLOCK, *event) in the data's coordinates, and their modes (BLOCK,)."""

    @property
    def event(self) -> tuple[int, ...]:
        """A point in the plane."""
        return (2,)

    @property
    def classes(self) -> int:
        """No labels, unless a subclass says otherwise."""
        return 0

    def draw(self, position: int, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """Points ``position`` to ``position + num - 1``; see ``Source.draw``."""
        x, y = in_blocks(
            position, num, lambda k: self.block(generator_at(Purpose.SAMPLES, seed, k))
        )
        return self.scale.to_network(x), y if self.classes else None

    def reference(self, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """Fresh points of a stream that training never sees."""
        return self.draw(0, num, seed=mix(Purpose.REFERENCE, seed))

    def fingerprint(self) -> Fingerprint:
        """Name, settings and a checksum of the first points of seed 0."""
        return {
            "name": type(self).__name__,
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "event": list(self.event),
            "size": None,
            "checksum": checksum(*self.draw(0, 64, seed=0)),
        }
