"""What the audit knows of one intermediate result: how it depends on the input, and how large it can be."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.dynamics.lipschitz.linear_map import LinearMap, identity
from steadygan.dynamics.lipschitz.operator_norm import Norm, operator_norm


@dataclass(frozen=True, eq=False)
class Source:
    """A tensor that linear maps start from: the input, or what came out of a nonlinear operation.

    Args:
        shape: its shape.
        lipschitz: an upper bound of its Lipschitz constant in the input; infinite where there is none.
    """

    shape: torch.Size
    lipschitz: float


@dataclass(frozen=True, eq=False)
class Value:
    """Σ map(source) + constant: an intermediate result as linear maps of what came before.

    Args:
        at: its value at the centre of the ball.
        parts: for each source the map from it.
        peak: a bound of every entry's size that holds for all inputs.
        size: a bound of the Euclidean norm that holds for all inputs.
    """

    at: Float[Tensor, "*shape"]
    parts: dict[Source, LinearMap]
    peak: float = math.inf
    size: float = math.inf


@dataclass
class Ball:
    """The inputs an upper bound is for: all within ``radius`` of a centre; infinite for all inputs.

    ‖f(x)‖ <= ‖f(centre)‖ + L · radius then bounds every intermediate result, which is what products
    of two of them need. Norms of maps met before are remembered.
    """

    radius: float
    norms: dict[str, Norm] = field(default_factory=dict)

    def norm(self, operator: LinearMap) -> Norm:
        """The map's norm, computed once for equal maps."""
        while operator.keeps_norm and isinstance(operator.parents[0], LinearMap):
            operator = operator.parents[0]
        if operator.key not in self.norms:
            self.norms[operator.key] = operator_norm(operator)
        return self.norms[operator.key]

    def lipschitz(self, value: Value) -> float:
        """L <= Σ ‖map‖ · L(source)."""
        return sum(
            times(self.norm(operator).bound, source.lipschitz)
            for source, operator in value.parts.items()
        )

    def reach(self, value: Value) -> float:
        """How far the value can move from what it is at the centre: L · radius."""
        return times(self.lipschitz(value), self.radius)

    def size(self, value: Value) -> float:
        """A bound of the Euclidean norm."""
        return min(value.size, float(value.at.norm()) + self.reach(value))

    def peak(self, value: Value) -> float:
        """A bound of the largest entry's size."""
        if not value.at.numel():
            return 0.0
        return min(value.peak, value.size, float(value.at.abs().max()) + self.reach(value))


def times(a: float, b: float) -> float:
    """a · b for bounds: what is multiplied by exactly 0 is gone, however large it may be."""
    return 0.0 if a == 0 or b == 0 else a * b


def sprung(at: Tensor, lipschitz: float, peak: float = math.inf, size: float = math.inf) -> Value:
    """The result of a nonlinear operation: a source of its own."""
    source = Source(at.shape, lipschitz)
    return Value(at, {source: identity(at.shape)}, peak, size)
