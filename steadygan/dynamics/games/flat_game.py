"""The contract of a game under analysis: one flat float64 vector for both players, and the field on it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.updates import Point, Totals
from steadygan.updates.field import gradients_of

Vector = Float64[Tensor, "n"]
"""G's parameters, then D's."""


class FlatGame(ABC):
    """Two players in one vector: ``x[:num_g]`` is G's, the rest D's. A field, as update rules take it.

    field(x) = (∇_θ L_g(θ, φ), ∇_φ L_d(θ, φ))  at x = (θ, φ);  players move against it

    The losses must be a pure, twice differentiable function of the point: the same point gives the same numbers.

    Attributes:
        name: for titles and errors.
        num_g, num_d: how many coordinates each player has, >= 1.
        start: where the game stands when nothing else is said: its equilibrium where one is known.
        has_equilibrium: whether ``start`` is a known equilibrium.
    """

    name: str
    num_g: int
    num_d: int
    start: Vector
    has_equilibrium: bool

    @abstractmethod
    def losses(self, point: Point) -> Totals:
        """Both players' losses at a point, with graphs back to it."""

    def __call__(self, point: Point) -> Point:
        """Both players' gradients at a point; with a graph where the point has one."""
        return gradients_of(self.losses, point)

    def field(self, x: Vector) -> Vector:
        """Both players' gradients as one vector; with a graph where ``x`` has one.

        Shape: (n,) -> (n,), n = num_g + num_d.
        """
        found = self(self.point(x))
        return torch.cat([found.g, found.d])

    def point(self, x: Vector) -> Point:
        """The vector cut into the two players."""
        return Point(x[: self.num_g], x[self.num_g :])

    def label(self, coordinate: int) -> str:
        """What an axis along one coordinate is called."""
        of_g = coordinate < self.num_g
        return f"G {coordinate}" if of_g else f"D {coordinate - self.num_g}"

    def at(self, values: Vector | Sequence[float]) -> Vector:
        """A vector of this game from numbers, checked.

        Raises:
            ConfigError: for a wrong count, or numbers that are not finite.
        """
        x = torch.as_tensor(values, dtype=torch.float64).detach().clone()
        size = self.num_g + self.num_d
        if x.shape != (size,):
            raise ConfigError(
                f"a point of the {self.name} game must have {size} coordinates, {self.num_g} of G and then "
                f"{self.num_d} of D, got shape {tuple(x.shape)}; give one number for each."
            )
        require_finite(f"the coordinates of a point of the {self.name} game", x)
        return x


def require_finite(what: str, values: Tensor) -> None:
    """Refuse NaN and infinity.

    Raises:
        ConfigError: naming what, and the first bad entry.
    """
    bad = (~torch.isfinite(values)).flatten().nonzero()
    if len(bad):
        place = int(bad[0])
        raise ConfigError(
            f"{what} must be finite, got {values.flatten()[place].item()} at index {place}; "
            "start from values that are numbers."
        )
