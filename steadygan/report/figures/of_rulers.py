"""The figure of ``steadygan rulers``."""

import math

import numpy as np

from steadygan.dynamics.rulers import Rulers
from steadygan.report.figures.panel import QUIET, Dots, Figure, Line, Panel, level

_GROWING = ("wasserstein", "kl")
_LABELS = {
    "jensen_shannon": "Jensen-Shannon",
    "kl": "KL(fake‖real)",
    "total_variation": "total variation",
    "least_squares": "least squares (χ²)",
    "mmd": "MMD² (Gaussian kernel)",
    "wasserstein": "Wasserstein-1",
}
_LEAST = 1e-4


def rulers_figure(found: Rulers) -> Figure:
    """Rulers, their slopes, and the pull on G under the best and under trained critics."""
    x = found.shifts
    over = (float(x.min()), float(x.max()))
    colours = {ruler.name: k for k, ruler in enumerate(found.rulers)}
    bounded = [
        Line(found.fine, r.values, _LABELS[r.name], colours[r.name])
        for r in found.curves
        if r.name not in _GROWING
    ]
    measured = {
        name: Dots(x, values, f"{_LABELS[name]}, trained critic", colours[name])
        for name, values in found.measured.items()
    }
    growing = [
        Line(found.fine, r.values, _LABELS[r.name], colours[r.name])
        for r in found.curves
        if r.name in _GROWING and np.isfinite(r.values).sum() > 1
    ]
    infinite = any(np.isinf(r.values).any() for r in found.rulers)
    shift = "shift θ of the fakes"
    read = found.measured.get("wasserstein", x)
    top = 1.15 * max(over[1], float(read.max()))
    panels = [
        Panel(
            "Rulers that end",
            shift,
            "value",
            (
                *bounded,
                *(m for n, m in measured.items() if n not in _GROWING),
                level(math.log(2), over, "log 2"),
            ),
        ),
        Panel(
            "Rulers that keep growing",
            shift,
            "value",
            (*growing, *(m for n, m in measured.items() if n in _GROWING)),
            y_range=(-0.05 * top, top),
            note="KL is infinite for every θ ≠ 0." if infinite else "",
        ),
        Panel(
            "Slope of each ruler",
            shift,
            "d value / dθ",
            tuple(
                Line(found.fine, r.slopes, _LABELS[r.name], colours[r.name])
                for r in found.curves
                if np.isfinite(r.slopes).sum() > 1
            ),
            y_range=(-0.1, 2.4),
        ),
        _pulls(found, shift, trained=False),
        _pulls(found, shift, trained=True),
    ]
    return Figure(
        f"Two {found.pair} moving apart",
        tuple(p for p in panels if p.marks),
        f"spread {found.spread:g}; critics trained for {found.steps} steps",
    )


def _pulls(found: Rulers, shift: str, *, trained: bool) -> Panel:
    x, marks, zero = found.shifts, [], []
    for k, pull in enumerate(found.pulls):
        values = pull.trained if trained else pull.optimal
        if values is None:
            continue
        label = pull.objective.replace("_", "-")
        if trained and pull.penalty:
            label += f" + {pull.penalty}"
        apart = x > 0
        if not (np.abs(values[apart]) >= _LEAST).any():
            zero.append(label)
            continue
        shown = np.where(apart, np.maximum(values, _LEAST), np.nan)
        marks.append(Line(x, shown, label, k))
    notes = [f"Zero everywhere: {', '.join(zero)}."] if zero else []
    if not trained and any(p.optimal is None for p in found.pulls):
        notes.append("Relativistic-average: no closed form.")
    if marks:
        over = (float(x.min()), float(x.max()))
        floor = Line(np.array(over), np.full(2, _LEAST), "", QUIET, "dotted")
        marks.append(floor)
    which = f"critics trained for {found.steps} steps" if trained else "the best D"
    return Panel(
        f"G's gradient under {which}",
        shift,
        "pull towards the reals, dL_G/dθ",
        tuple(marks),
        log_y=True,
        note=" ".join([*notes, f"Below {_LEAST:g} drawn at {_LEAST:g}."]),
    )
