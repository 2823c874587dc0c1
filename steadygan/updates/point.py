"""Where the game stands: both players' parameters as one flat vector each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.layout import laid_out_like
from steadygan.types import Player


class Rates(NamedTuple):
    """Both players' learning rates, as numbers or 0-d tensors."""

    g: float | Tensor
    d: float | Tensor


@dataclass(frozen=True)
class Point:
    """Both players' parameters, or gradients in them, as one flat vector each.

    >>> here = Point(torch.tensor([1.0]), torch.tensor([2.0, 3.0]))
    >>> here - Rates(1.0, 0.5) * here
    Point(g=tensor([0.]), d=tensor([1.0000, 1.5000]))
    """

    g: Float[Tensor, " num_g"]
    d: Float[Tensor, " num_d"]

    def __add__(self, other: "Point") -> "Point":
        """The sum."""
        return Point(self.g + other.g, self.d + other.d)

    def __sub__(self, other: "Point") -> "Point":
        """The difference."""
        return Point(self.g - other.g, self.d - other.d)

    def __rmul__(self, factor: "float | Tensor | Rates") -> "Point":
        """Scaled by one number, or by one for each player."""
        g, d = factor if isinstance(factor, Rates) else (factor, factor)
        return Point(g * self.g, d * self.d)

    def of(self, player: Player) -> Tensor:
        """One player's vector."""
        return self.g if player == "g" else self.d

    def dot(self, other: "Point") -> Tensor:
        """The inner product over both players."""
        return self.g @ other.g + self.d @ other.d

    @property
    def vector(self) -> Tensor:
        """Both players in one vector, G first."""
        return torch.cat([self.g, self.d])

    @staticmethod
    def cut(vector: Tensor, num_g: int) -> "Point":
        """The point whose ``vector`` this is, with G's first ``num_g`` numbers."""
        return Point(vector[:num_g], vector[num_g:])

    def detach(self) -> "Point":
        """The same numbers without a graph."""
        return Point(self.g.detach(), self.d.detach())

    @property
    def requires_grad(self) -> bool:
        """Whether a derivative in this point will be asked for."""
        return self.g.requires_grad or self.d.requires_grad

    def attached(self) -> "Point":
        """The same point as a place to take partial derivatives in; its own graph, if it has one, hangs on behind.

        One player's vector may have been computed from the other's (D's step from G's parameters). A new node for each
        keeps a derivative in θ from running through φ back to θ.
        """
        return Point(_attached(self.g), _attached(self.d))


State = tuple[Tensor, ...]
"""What a rule remembers between steps: flat vectors; empty for most."""


def _attached(vector: Tensor) -> Tensor:
    return vector.view_as(vector) if vector.requires_grad else vector.detach().requires_grad_()


def flatten(tensors: Iterable[Tensor | None], like: Sequence[Tensor]) -> Tensor:
    """One vector of them all, in order; zeros where one is None."""
    parts = zip(tensors, like, strict=True)
    return torch.cat([(torch.zeros_like(p) if t is None else t).reshape(-1) for t, p in parts])


def split(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """The vector cut into the shapes of ``like``, differentiably."""
    parts = torch.split(vector, [p.numel() for p in like])
    return [part.view(p.shape) for part, p in zip(parts, like, strict=True)]


def unflatten(
    vector: Tensor, like: Sequence[Tensor], absent: frozenset[int] = frozenset()
) -> list[Tensor | None]:
    """The vector cut into the shapes and layouts of ``like``; None at the positions in ``absent``."""
    return [
        None if i in absent else laid_out_like(part, p)
        for i, (part, p) in enumerate(zip(split(vector, like), like, strict=True))
    ]


def stand(g: Sequence[Tensor], d: Sequence[Tensor]) -> Point:
    """Where these parameters stand, as a copy."""
    return Point(flatten(g, g).detach(), flatten(d, d).detach())


@torch.no_grad()
def place(point: Point, g: Sequence[Tensor], d: Sequence[Tensor]) -> None:
    """Write the point into these parameters."""
    for vector, parameters in ((point.g, g), (point.d, d)):
        torch._foreach_copy_(list(parameters), split(vector, parameters))
