"""The path angle: does the field along a straight path point home, or does it turn around the end?"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.errors import ConfigError


@dataclass(frozen=True)
class PathAngle:
    """The angle between a path and the step the game would take there, along the path.

    Attributes:
        positions: along the path, 0 at its start and 1 at its end; it is followed a little beyond.
        cosine: of the angle between end − start and −field: 1 where the step follows the path.
        norm: of the field.
    """

    positions: Float64[np.ndarray, "num"]
    cosine: Float64[np.ndarray, "num"]
    norm: Float64[np.ndarray, "num"]

    @property
    def attraction(self) -> float:
        """How far the cosine drops from before the end to beyond it, in [−1, 1]: 1 at a point that attracts from
        both sides of the path, 0 at a centre of rotation, −1 at one that repels.
        """
        before, after = self.positions < 1, self.positions > 1
        return float(self.cosine[before][-1] - self.cosine[after][0]) / 2

    @property
    def turning(self) -> float:
        """The share of the field beside the end that is across the path, in [0, 1]: 1 where the game circles."""
        before, after = self.positions < 1, self.positions > 1
        beside = np.array([self.cosine[before][-1], self.cosine[after][0]])
        return float(np.sqrt(1 - beside**2).mean())


def path_angle(
    game: FlatGame,
    start: Vector,
    end: Vector,
    *,
    beyond: float = 0.5,
    num: int = 101,
) -> PathAngle:
    """The cosine between the direction of a path and the game's step, along the path and beyond its end.

    c(α) = ⟨x₁ − x₀, −field(x_α)⟩ / (‖x₁ − x₀‖ ‖field(x_α)‖),   x_α = x₀ + α (x₁ − x₀),  α in [0, 1 + beyond]

    Use it with x₀ the parameters at some time of a training and x₁ those at its end. A jump from + to − at α = 1:
    the end attracts. Without one the game rotates around it, and beside an end that is not quite the centre of
    rotation the cosine has a bump. Where the field is 0 the cosine is 0.
    Cost: ``num`` fields.

    Args:
        game: whose field.
        start, end: two points of it.
        beyond: how far past the end, > 0 [lengths of the path].
        num: points along the path, >= 4.

    Raises:
        ConfigError: for equal points, or settings out of range.

    Source: Berard et al. (2020), arXiv 1906.04848, eq. 7; ours has the step, −field, so that 1 means along the path.
    """
    direction = end - start
    length = float(torch.linalg.vector_norm(direction))
    if length == 0:
        raise ConfigError("path_angle must have two different points, got the same twice.")
    if beyond <= 0 or num < 4:
        raise ConfigError(
            f"path_angle must look beyond the end at >= 4 points, got beyond={beyond} and num={num}; "
            "use beyond=0.5, num=101."
        )
    positions = np.linspace(0, 1 + beyond, num)
    cosine, norm = np.zeros(num), np.zeros(num)
    for i, position in enumerate(positions):
        field = game.field(start + float(position) * direction)
        norm[i] = float(torch.linalg.vector_norm(field))
        if norm[i] > 0:
            cosine[i] = -float(field @ direction) / (norm[i] * length)
    return PathAngle(positions, cosine, norm)
