"""The figure of ``steadygan audit``."""

import math

import numpy as np

from steadygan.dynamics.lipschitz import Audit, UpperBound
from steadygan.report.figures.panel import QUIET, Dots, Figure, Line, Panel, Stroke

_MOST_ROWS = 40
_BY_ASCENT = {"near": "near, by ascent", "far": "far, by ascent"}


def audit_figure(found: Audit, name: str) -> Figure:
    """Each layer's norm, and D's slopes between what is found and what is proven."""
    panels = [_layers(found), _places(found)]
    upper = found.upper
    bound = "no upper bound asked for"
    if upper is not None:
        bound = f"upper bound {upper.value:.4g}" if math.isfinite(upper.value) else "no upper bound"
    return Figure(
        f"How steep is the D of {name}",
        tuple(p for p in panels if p.marks),
        f"{bound}; steepest slope found {found.lower.steepest:.4g} ({found.lower.name})",
        columns=2,
    )


def _layers(found: Audit) -> Panel:
    rows = found.layers[:_MOST_ROWS]
    at = np.arange(len(rows), dtype=float)
    norms = np.array([row.norm for row in rows])
    matrices = np.array([math.nan if r.matrix_norm is None else r.matrix_norm for r in rows])
    marks: list[Line | Dots] = []
    if rows:
        one = np.ones(2)
        marks = [
            Line(one, np.array([-0.6, len(rows) - 0.4]), "1", QUIET, "dashed"),
            Dots(norms, at, "Lipschitz constant of the layer", 0),
            Dots(matrices, at, "σ of the reshaped weight", 1, True),
        ]
    left_out = len(found.layers) - len(rows)
    finite = norms[np.isfinite(norms) & (norms > 0)]
    wide = len(finite) > 0 and bool(finite.max() > 30 * finite.min())
    return Panel(
        "Layers, in the order in which they run",
        "norm (output per unit of input)",
        "",
        tuple(marks),
        rows=tuple(f"{row.layer}  {row.kind}" for row in rows),
        log_x=wide,
        note=f"{left_out} more layers are in the table." if left_out > 0 else "",
    )


def _places(found: Audit) -> Panel:
    places = found.places
    marks: list[Line | Dots] = []
    floor = max(1e-6, 0.1 * min((p.median for p in places if p.median > 0), default=1e-3))
    for k, place in enumerate(places):
        ends = np.maximum(np.array([place.median, place.steepest]), floor)
        marks.append(Line(ends, np.full(2, float(k)), "", 0))
    at = np.arange(len(places), dtype=float)
    medians = np.array([max(p.median, floor) for p in places])
    steepest = np.array([max(p.steepest, floor) for p in places])
    marks += [
        Dots(medians, at, "median slope", 0, True),
        Dots(steepest, at, "steepest slope", 0),
    ]
    whole = np.array([-0.6, len(places) - 0.4])
    bounds: list[tuple[UpperBound | None, str, int, Stroke]] = [
        (found.upper, "upper bound, all inputs", 1, "solid")
    ]
    if found.upper_on_data is not found.upper:
        bounds.append((found.upper_on_data, "upper bound, ball of the data", 2, "dashed"))
    for bound, label, colour, stroke in bounds:
        if bound is not None and math.isfinite(bound.value):
            marks.append(Line(np.full(2, bound.value), whole, label, colour, stroke))
    only = [h.penalty for h in found.holds if h.only_locally]
    return Panel(
        "Slope of D by place",
        "‖∇D‖ (logit per unit of x)",
        "",
        tuple(marks),
        rows=tuple(_BY_ASCENT.get(p.name, p.name) for p in places),
        log_x=True,
        note=f"Holds only where it looks: {', '.join(only)}." if only else "",
    )
