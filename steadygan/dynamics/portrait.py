"""A phase portrait as plain data: where a step moves each point of a plane, and a few paths through it."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class PhasePortrait:
    """The plane of one coordinate of each player. Arrow (i, j) starts at (x[j], y[i]).

    Attributes:
        game, rule: their names, for titles.
        x_label, y_label: what the axes are: a coordinate of G, a coordinate of D.
        x, y: the grid's lines.
        u, v: where one step moves a grid point along x and along y, (len(y), len(x)) each.
        paths: trajectories of the real update map, a row (x, y) for each step, the start included.
        equilibrium: where the game should end, where it is known.
    """

    game: str
    rule: str
    x_label: str
    y_label: str
    x: Float64[np.ndarray, "columns"]
    y: Float64[np.ndarray, "rows"]
    u: Float64[np.ndarray, "rows columns"]
    v: Float64[np.ndarray, "rows columns"]
    paths: tuple[Float64[np.ndarray, "_ 2"], ...] = field(default=())
    equilibrium: tuple[float, float] | None = None
