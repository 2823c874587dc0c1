"""A figure as plain data: panels with lines, dots, arrows and ranges; drawing comes second."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Numbers = Float[np.ndarray, " n"]
Stroke = Literal["solid", "dashed", "dotted"]
QUIET = -1
"""The colour of what is only there to compare with."""


@dataclass(frozen=True)
class Line:
    """A curve; broken where a value is not finite. ``colour`` is an index into the palette."""

    x: Numbers
    y: Numbers
    label: str = ""
    colour: int = 0
    stroke: Stroke = "solid"


@dataclass(frozen=True)
class Dots:
    """Points without a line; hollow ones for what is compared."""

    x: Numbers
    y: Numbers
    label: str = ""
    colour: int = 0
    hollow: bool = False


@dataclass(frozen=True)
class Arrows:
    """A vector field, drawn with arrows of like length, paler where it is weaker."""

    x: Numbers
    y: Numbers
    u: Numbers
    v: Numbers


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Args:
        title, x_label, y_label: with units.
        marks: drawn in this order.
        equal: one unit is as long on both axes.
        log_x, log_y: logarithmic axes; values that are not positive are left out.
        rows: names of rows 0, 1, … down the y axis, instead of numbers.
        x_range, y_range: what is shown; None: what the marks need.
        note: a sentence under the panel.
    """

    title: str
    x_label: str
    y_label: str
    marks: tuple[Line | Dots | Arrows, ...]
    equal: bool = False
    log_x: bool = False
    log_y: bool = False
    rows: tuple[str, ...] = ()
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    note: str = ""

    def bounds(self, axis: Literal["x", "y"]) -> tuple[float, float]:
        """The range of an axis, with a little air."""
        fixed = self.x_range if axis == "x" else self.y_range
        if fixed is not None:
            return fixed
        if axis == "y" and self.rows:
            return -0.6, len(self.rows) - 0.4
        is_log = self.log_x if axis == "x" else self.log_y
        found = [np.asarray(getattr(mark, axis), dtype=float).ravel() for mark in self.marks]
        values = np.concatenate([*found, np.empty(0)])
        values = values[np.isfinite(values) & ((values > 0) | (not is_log))]
        if not len(values):
            return (0.1, 10.0) if is_log else (0.0, 1.0)
        low, high = float(values.min()), float(values.max())
        if is_log:
            air = max((high / low) ** 0.06, 1.15)
            return low / air, high * air
        air = 0.06 * (high - low) or 0.5 * max(1e-3, abs(high))
        return low - air, high + air

    @property
    def legend(self) -> list[Line | Dots]:
        """The marks that have a label, each label once."""
        named = {m.label: m for m in reversed(self.marks) if not isinstance(m, Arrows) and m.label}
        return list(reversed(named.values()))


@dataclass(frozen=True)
class Figure:
    """A few panels under one title."""

    title: str
    panels: tuple[Panel, ...]
    subtitle: str = ""
    columns: int = 3


def level(value: float, over: tuple[float, float], label: str) -> Line:
    """A quiet horizontal line to compare with."""
    return Line(np.array(over), np.array([value, value]), label, QUIET, "dashed")


def circle(radius: float = 1.0, label: str = "") -> Line:
    """A quiet circle around the origin."""
    angle = np.linspace(0, 2 * math.pi, 181)
    return Line(radius * np.cos(angle), radius * np.sin(angle), label, QUIET)


def unit_arrows(arrows: Arrows) -> tuple[Numbers, Numbers, Numbers]:
    """Directions of length at most one, and strengths in [0, 1], both fit to be drawn.

    Strength is relative to the strongest arrow, by its square root, so that weak ones still show.
    """
    size = np.hypot(arrows.u, arrows.v)
    top = float(size[np.isfinite(size)].max(initial=0.0)) or 1.0
    safe = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    strength = np.where(np.isfinite(size), np.sqrt(np.minimum(size / top, 1.0)), 0.0)
    return arrows.u / safe, arrows.v / safe, strength
