"""Where a step along a direction would lead: by plain arithmetic here, by the optimizers in ``visit``."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from steadygan.updates.point import Point, Rates


@runtime_checkable
class Reach(Protocol):
    """The point where a step begins, and the points that a step from it would reach."""

    @property
    def start(self) -> Point:
        """Where the step begins."""

    @property
    def rates(self) -> Rates:
        """The players' learning rates at this step."""

    def ahead(self, along: Point, share: float = 1.0) -> Point:
        """The point that a share of one step along the direction leads to, always from ``start``."""


@dataclass(frozen=True)
class Plain:
    """Reaching ahead by plain gradient descent: start − share · η · direction."""

    start: Point
    rates: Rates

    def ahead(self, along: Point, share: float = 1.0) -> Point:
        """Differentiable arithmetic."""
        step = self.rates * along
        return self.start - (step if share == 1.0 else share * step)
