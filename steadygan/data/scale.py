"""Scales: the map between the data's own units and what the networks see."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from steadygan.errors import ConfigError


class Scale(ABC):
    """An invertible map from the data's own units to the network's."""

    @property
    @abstractmethod
    def network_range(self) -> tuple[float, float] | None:
        """(lo, hi) of what the networks see; None where it is unbounded."""

    @abstractmethod
    def to_network(self, x: Shaped[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """The samples as the networks see them, float32."""

    @abstractmethod
    def to_data(self, x: Float[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """The samples in the data's own units; undoes ``to_network``."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Plain numbers from which ``scale_from`` makes the same scale again; fit for JSON."""


@dataclass(frozen=True)
class Interval(Scale):
    """Values of a known range [low, high], seen as another range, [-1, 1] by default: pixels.

    network = (x - low)·(hi - lo)/(high - low) + lo. The way back is clipped to [low, high], since
    a generator without a bounded output may leave the range.

    Args:
        low, high: what the data may be [data units].
        network: (lo, hi) that the networks see.

    >>> Interval(0.0, 255.0).to_network(torch.tensor([[0, 255]], dtype=torch.uint8)).tolist()
    [[-1.0, 1.0]]
    """

    low: float
    high: float
    network: tuple[float, float] = (-1.0, 1.0)

    @property
    def network_range(self) -> tuple[float, float]:
        """The range as set."""
        return self.network

    def to_network(self, x: Shaped[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """[low, high] -> [lo, hi]."""
        lo, hi = self.network
        values = x.to(torch.float32)
        if self.low:
            values = values - self.low
        # Dividing, not multiplying by the inverse, hits both ends of the range exactly.
        return (values / ((self.high - self.low) / (hi - lo))).add_(lo).clamp_(lo, hi)

    def to_data(self, x: Float[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """[lo, hi] -> [low, high], clipped."""
        lo, hi = self.network
        values = (x - lo) * ((self.high - self.low) / (hi - lo)) + self.low
        return values.clamp(self.low, self.high)

    def describe(self) -> dict[str, Any]:
        """Kind and numbers."""
        return {"kind": "interval", "data": [self.low, self.high], "network": list(self.network)}

    def seen_as(self, network: tuple[float, float]) -> "Interval":
        """The same data, seen as another range."""
        return replace(self, network=network)


@dataclass(frozen=True, eq=False)
class Affine(Scale):
    """Unbounded values, shifted and divided by a unit: coordinates and features.

    network = (x - shift) / unit, both broadcast over the batch.

    Args:
        shift: what becomes 0 [data units].
        unit: what becomes 1, > 0 [data units].
    """

    shift: Tensor
    unit: Tensor

    @property
    def network_range(self) -> None:
        """Unbounded."""
        return

    def to_network(self, x: Shaped[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """Shift and divide; float32, or float64 where the samples are."""
        values = x if x.is_floating_point() else x.to(torch.float32)
        return ((values - self.shift.to(values)) / self.unit.to(values)).to(torch.float32)

    def to_data(self, x: Float[Tensor, "b *event"]) -> Float[Tensor, "b *event"]:
        """Multiply and shift back."""
        return x * self.unit.to(x) + self.shift.to(x)

    def describe(self) -> dict[str, Any]:
        """Kind and numbers."""
        return {"kind": "affine", "shift": self.shift.tolist(), "unit": self.unit.tolist()}


def scale_from(description: Mapping[str, Any]) -> Scale:
    """The scale that ``describe`` described.

    Raises:
        ConfigError: for a description of no known kind.

    >>> scale_from(Interval(0.0, 16.0).describe())
    Interval(low=0.0, high=16.0, network=(-1.0, 1.0))
    """
    match description:
        case {"kind": "interval", "data": [low, high], "network": [lo, hi]}:
            return Interval(float(low), float(high), (float(lo), float(hi)))
        case {"kind": "affine", "shift": shift, "unit": unit}:
            return Affine(torch.tensor(shift), torch.tensor(unit))
    raise ConfigError(
        f"a scale must be an interval or affine, got {dict(description)}; "
        "the file was not written by Scale.describe."
    )
