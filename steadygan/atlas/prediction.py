"""What the linearised game of one healthy member says about every cell of its map, and how right that is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from steadygan.atlas.curve import Curve

Kind = Literal["growth", "overshoot"]
KINDS: tuple[Kind, ...] = ("growth", "overshoot")

Lines = tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
"""Each the x and the y of its points."""

Grid = tuple[tuple[float, ...], ...]
"""Rows of columns."""

LEVEL = 1 + 1e-6
"""A deviation that grows by less a step has not grown by a thousandth when a training of a thousand steps ends."""

_SAYS = {"growth": "radius = 1", "overshoot": "steps overshoot"}


@dataclass(frozen=True)
class Agreement:
    """A predicted border against the measured one.

    Args:
        cells: with a known outcome.
        right: the share of them on the predicted side; failing is measured where half of the seeds or more fail.
        majority: the share that calling all cells the same, whichever is the more frequent, gets right.
        distance: how many cells a piece of the measured border is from the nearest of the predicted one, in the
            mean; None where there is none of either.
    """

    cells: int
    right: float
    majority: float
    distance: float | None


@dataclass(frozen=True)
class Prediction:
    """Linear stability of one state of one member at every cell's settings.

    Args:
        objective: on whose map.
        settings: of the member's cell.
        column, row: the cell.
        seed: the member's.
        step: of its training where it was linearised.
        factors: of the schedules there, on both players' rates: those of a cell count times this.
        radius, overshoot: the map's at each cell's centre, rows of columns; see ``FrozenStep``.
        residual: the largest relative residual of an eigenvalue at the four corners and at the member's own cell.
        lines: kind -> the lines where it passes 1, in the axes' units.
    """

    objective: str
    settings: Mapping[str, float]
    column: int
    row: int
    seed: int
    step: int
    factors: tuple[float, float]
    radius: Grid
    overshoot: Grid
    residual: float
    lines: Mapping[Kind, Lines]

    def name(self, kind: Kind) -> str:
        """For the legend."""
        return (
            f"local prediction ({_SAYS[kind]}): linearised at seed {self.seed} of cell ({self.column}, {self.row}), "
            "second moments frozen"
        )

    def curves(self) -> list[Curve]:
        """Every line."""
        return [
            Curve(self.name(kind), x, y, self.objective)
            for kind in KINDS
            for x, y in self.lines[kind]
        ]

    def beyond(self, kind: Kind) -> Float64[np.ndarray, "rows columns"]:
        """1 in cells that are predicted to fail."""
        values = np.array(self.radius if kind == "growth" else self.overshoot, dtype=np.float64)
        return (values > LEVEL).astype(np.float64)

    def remark(self) -> str:
        """What the lines are, in a sentence or two, and which of them the map does not show."""
        where = ", ".join(f"{key}={value:.3g}" for key, value in self.settings.items())
        flat = [r for row in self.radius for r in row]
        text = (
            f"{self.objective}: lines are a local prediction, linearised at step {self.step} of seed {self.seed} of "
            f"the cell {where}, second moments frozen, without noise; cells' rates times the schedule's "
            f"{self.factors[0]:.2g} and {self.factors[1]:.2g} there."
        )
        if not self.lines["growth"]:
            side = "at least one deviation grows" if min(flat) > LEVEL else "no deviation grows"
            text += f" No line of radius 1: {side} in every cell (radius {min(flat):.4g} to {max(flat):.4g})."
        if not self.lines["overshoot"]:
            all_ = "in every cell" if self.beyond("overshoot").all() else "in no cell"
            text += f" No line of overshoot: steps overshoot {all_}."
        return text

    def to_dict(self) -> dict[str, Any]:
        """For JSON; ``of_dict`` reads it."""
        return asdict(self)

    @classmethod
    def of_dict(cls, tree: Mapping[str, Any]) -> "Prediction":
        """What ``to_dict`` wrote, also after JSON."""
        grids = {k: tuple(map(tuple, tree[k])) for k in ("radius", "overshoot")}
        lines = {
            kind: tuple((tuple(x), tuple(y)) for x, y in tree["lines"][kind]) for kind in KINDS
        }
        return cls(**{**tree, **grids, "lines": lines, "factors": tuple(tree["factors"])})


def agreement(
    failing: Sequence[Sequence[bool | None]], beyond: Float64[np.ndarray, "rows columns"]
) -> Agreement:
    """The share of cells on the right side of a predicted border, and how far apart the borders are.

    Args:
        failing: by row and column; None where not known.
        beyond: 1 where predicted.
    """
    pairs = [
        (known, bool(beyond[i, j]))
        for i, row in enumerate(failing)
        for j, known in enumerate(row)
        if known is not None
    ]
    if not pairs:
        return Agreement(0, 0.0, 0.0, None)
    share = sum(known for known, _ in pairs) / len(pairs)
    measured = _edges(failing)
    predicted = _edges([[bool(v) for v in row] for row in beyond])
    distance = None
    if measured and predicted:
        gaps = [min(math.dist(a, b) for b in predicted) for a in measured]
        distance = sum(gaps) / len(gaps)
    right = sum(known == said for known, said in pairs) / len(pairs)
    return Agreement(len(pairs), right, max(share, 1 - share), distance)


def _edges(cells: Sequence[Sequence[bool | None]]) -> list[tuple[float, float]]:
    """The middles of the sides between neighbouring cells of which one fails and one does not."""
    found = []
    for i, row in enumerate(cells):
        for j, own in enumerate(row):
            for k, m in ((i + 1, j), (i, j + 1)):
                other = cells[k][m] if k < len(cells) and m < len(row) else None
                if own is not None and other is not None and own != other:
                    found.append(((i + k) / 2, (j + m) / 2))
    return found
