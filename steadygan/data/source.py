"""The contract of a source: an endless stream, each sample a function of (seed, position)."""

import hashlib
from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.scale import Scale
from steadygan.types import Labels, Samples

Fingerprint = dict[str, Any]
"""Strings, numbers, None and lists of them: goes into JSON as it is."""


class Source(ABC):
    """An endless stream of samples in the network's scale.

    ``draw`` depends on its arguments alone: the same (seed, position) gives the same bytes on every
    call, in any thread, and however the positions are cut into calls. A subclass keeps no state
    that shows.
    """

    @property
    @abstractmethod
    def event(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @property
    def classes(self) -> int:
        """How many classes the labels have; 0 where there are no labels."""
        return 0

    @property
    def size(self) -> int | None:
        """How many samples are stored; None where they are made up without end."""
        return None

    @property
    @abstractmethod
    def scale(self) -> Scale:
        """The map between the data's own units and what ``draw`` returns."""

    @property
    def network_range(self) -> tuple[float, float] | None:
        """The range of what ``draw`` returns; None where it is unbounded."""
        return self.scale.network_range

    @abstractmethod
    def draw(self, position: int, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """Samples number ``position`` to ``position + num - 1`` of the stream, and their labels.

        Args:
            position: number of the first sample, >= 0.
            num: how many, >= 1.
            seed: which stream; any integer.

        Shape: -> (num, *event) float32, (num,) int64 where ``classes`` > 0, else None.
        """

    @abstractmethod
    def reference(self, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """Distinct samples for evaluation, never augmented: all of them where ``num`` >= ``size``.

        Shape: -> (min(num, size), *event) float32 in the network's scale, and the labels or None.
        """

    def to_data(self, x: Float[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """From the network's scale to the data's own units; clipped where these have a range."""
        return self.scale.to_data(x)

    @abstractmethod
    def fingerprint(self) -> Fingerprint:
        """What the data is, for the records: name, counts, shape and a checksum of the content."""


_SLICE = 2**24  # bytes hashed in one go


def checksum(*tensors: Tensor | None) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of the tensors' bytes, read in slices.

    >>> checksum(torch.zeros(3)) == checksum(torch.zeros(3)), len(checksum(torch.ones(2), None))
    (True, 16)
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        if tensor is None:
            digest.update(b"none")
            continue
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        step = max(1, _SLICE // max(1, tensor[:1].nbytes))
        for first in range(0, len(tensor), step):
            rows = tensor[first : first + step].detach().cpu().contiguous()
            digest.update(rows.view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]
