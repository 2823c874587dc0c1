"""What is evaluated: images as bytes, points as they are, or features that were computed before."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.source import checksum
from steadygan.errors import DataError
from steadygan.types import Labels

Kind = Literal["images", "points", "features"]

_MOST_PIXELS = 2**24  # what goes through a feature map at once


@dataclass(frozen=True, eq=False)
class SampleSet:
    """One side of a comparison, read and prepared.

    Args:
        side: "fake", "real" or "validation": what to call it in errors.
        origin: where it came from, for people.
        x: images (n, c, h, w), as bytes where they were quantised, else float32 in [-1, 1]; points or
            features (n, d).
        kind: which of the three.
        labels: class numbers, where they are known.
        preparation: what was done to the samples: size, resizing, quantisation, range.
        fingerprint: of the feature map behind ``features``; None if nobody wrote it down.
        available: how many there were to choose from; None without end.
        notes: what a person should know, in sentences.
    """

    side: str
    origin: str
    x: Tensor
    kind: Kind
    labels: Labels | None = None
    preparation: dict[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    available: int | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many samples."""
        return len(self.x)

    @property
    def event(self) -> tuple[int, ...]:
        """The shape of one."""
        return tuple(self.x.shape[1:])

    def checksum(self) -> str:
        """Of the samples alone, not of their labels; reads them once."""
        return checksum(self.x)

    def chunks(self) -> Iterator[Float[Tensor, "b *event"]]:
        """The samples as networks take them, a bounded number at a time: images float32 in [-1, 1]."""
        rows = max(1, min(256, _MOST_PIXELS // max(1, self.x[0].numel())))
        for start in range(0, len(self.x), rows):
            yield as_network(self.x[start : start + rows])

    def network(self, rows: slice | Tensor = slice(None)) -> Float[Tensor, "b *event"]:
        """Some rows, or all, as ``chunks`` gives them."""
        return as_network(self.x[rows])

    def subset(self, num: int | None, seed: int) -> "SampleSet":
        """At most ``num`` of the samples, drawn without touching any global generator; all for None."""
        if num is None or num >= len(self.x):
            return self
        order = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(seed))[:num]
        labels = None if self.labels is None else self.labels[order]
        return replace(self, x=self.x[order], labels=labels)


def as_network(x: Tensor) -> Float[Tensor, "b *event"]:
    """Bytes to float32 in [-1, 1]; everything else as float32 or float64, as it is."""
    if x.dtype == torch.uint8:
        return x.float().div_(127.5).sub_(1)
    return x if x.is_floating_point() else x.float()


def check_alike(fake: SampleSet, real: SampleSet) -> None:
    """Refuse two sets that no feature map could make comparable.

    Raises:
        DataError: for images beside points, features of another map, other sizes, channels or
            preparations.
    """
    if fake.kind != real.kind and "features" not in (fake.kind, real.kind):
        raise DataError(
            f"{fake.side} and {real.side} must be of one kind, got {_shape(fake)} and {_shape(real)}; "
            "give images on both sides, or vectors on both."
        )
    if fake.kind == real.kind and fake.event != real.event:
        advice = "give vectors of one length."
        if fake.kind == "images":
            same = fake.event[0] == real.event[0]
            advice = (
                f"bring them to one size with size={min(fake.event[1:] + real.event[1:])} (--size)."
                if same
                else "bring them to one number of channels with channels=1 or 3 (--channels)."
            )
        raise DataError(
            f"{fake.side} and {real.side} must have samples of one shape, got {_shape(fake)} and "
            f"{_shape(real)}; {advice}"
        )
    if fake.x.dtype != real.x.dtype and "images" == fake.kind == real.kind:
        raise DataError(
            f"{fake.side} and {real.side} must be quantised alike, got {fake.x.dtype} and "
            f"{real.x.dtype}; prepare both the same way."
        )


def _shape(side: SampleSet) -> str:
    if side.kind == "images":
        channels, height, width = side.event
        return f"{channels}-channel images of {height}x{width}"
    return f"{side.kind} of length {side.event[0]}"
