"""Lines over a map: where something passes one, found on the grid of cells and refined between them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

_HALVINGS = 8  # a 256th of a cell
_END = tuple[tuple[int, int], tuple[int, int]]

Positions = tuple[float, float]
Passes = Callable[[float, float], bool]
"""(x, y) in cells -> whether the place is beyond the line."""


@dataclass(frozen=True)
class Curve:
    """A line over the map, such as a boundary that theory predicts.

    Args:
        name: for the legend.
        x, y: its points, in the axes' own units.
        objective: on whose map; None: on every one.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    objective: str | None = None


def border(beyond: Float64[np.ndarray, "rows columns"], passes: Passes) -> list[list[Positions]]:
    """The lines between cells on this side and cells beyond, as chains of points (x, y) in cells.

    Each crossing between two neighbouring cells is found by bisection; lines join the crossings of each square of
    four cells. Costs 8 calls of ``passes`` a crossing.

    Args:
        beyond: 1 where a cell's centre is beyond the line, 0 where it is not.
        passes: the same at any place between centres.
    """
    rows, columns = beyond.shape
    at: dict[_END, Positions] = {}

    def crossing(a: tuple[int, int], b: tuple[int, int]) -> _END | None:
        if beyond[a] == beyond[b]:
            return None
        if (a, b) not in at:
            at[a, b] = _refined(a, b, bool(beyond[a]), passes)
        return a, b

    pieces: list[tuple[_END, _END]] = []
    for i in range(rows - 1):
        for j in range(columns - 1):
            low, right, up, top = (i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1)
            # In an order in which two neighbours cut one corner off.
            sides = [
                crossing(low, right),
                crossing(right, top),
                crossing(up, top),
                crossing(low, up),
            ]
            ends = [side for side in sides if side is not None]
            pieces += list(zip(ends[::2], ends[1::2], strict=True))
    return [[at[end] for end in chain] for chain in _chains(pieces)]


def _refined(a: tuple[int, int], b: tuple[int, int], beyond_a: bool, passes: Passes) -> Positions:
    """Between two centres (row, column) of which one is beyond, where the line runs."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        row, column = (p + middle * (q - p) for p, q in zip(a, b, strict=True))
        low, high = (middle, high) if passes(column, row) == beyond_a else (low, middle)
    row, column = (p + (low + high) / 2 * (q - p) for p, q in zip(a, b, strict=True))
    return column, row


def _chains(pieces: list[tuple[_END, _END]]) -> list[list[_END]]:
    """Pieces that share an end, joined; open lines from one of their ends."""
    at: dict[_END, list[int]] = {}
    for number, piece in enumerate(pieces):
        for end in piece:
            at.setdefault(end, []).append(number)
    left = set(range(len(pieces)))
    chains = []
    loose = [n for n, piece in enumerate(pieces) if any(len(at[end]) == 1 for end in piece)]
    for number in [*loose, *range(len(pieces))]:
        if number not in left:
            continue
        first, second = pieces[number]
        chain = [first, second] if len(at[first]) == 1 else [second, first]
        left.discard(number)
        while (follower := next((n for n in at[chain[-1]] if n in left), None)) is not None:
            left.discard(follower)
            a, b = pieces[follower]
            chain.append(b if a == chain[-1] else a)
        chains.append(chain)
    return chains
