"""Figures as PNG, by matplotlib, which is imported only here."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steadygan.report.figures.palette import colour_of
from steadygan.report.figures.panel import Arrows, Dots, Figure, Line, Panel, unit_arrows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES = 4.9, 4.3
_DOTS_PER_INCH = 130
_LINE = "#dfe2e6"
_TEXT = "#1a1d21"
_QUIET = "#5c636c"
_STROKES = {"solid": "-", "dashed": (0, (5, 3)), "dotted": (0, (1, 2))}


def write_png(figure: Figure, path: Path) -> None:
    """Draw the figure; no display is needed, and no global state of matplotlib is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = min(figure.columns, len(figure.panels))
    num_rows = math.ceil(len(figure.panels) / columns)
    most = max((len(p.rows) for p in figure.panels), default=0)
    height = max(_INCHES[1], 1.6 + 0.27 * most)
    canvas = Canvas(
        figsize=(_INCHES[0] * columns + 0.2, height * num_rows + 0.7),
        dpi=_DOTS_PER_INCH,
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12),
        facecolor="white",
    )
    FigureCanvasAgg(canvas)
    head = figure.title + (f"\n{figure.subtitle}" if figure.subtitle else "")
    canvas.suptitle(head, fontsize=12, color=_TEXT)
    for index, panel in enumerate(figure.panels):
        _draw(canvas.add_subplot(num_rows, columns, index + 1), panel)
    canvas.savefig(path, format="png")


def _draw(axes: "Axes", panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=10.5, color=_TEXT)
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    axes.set_xlim(*panel.bounds("x"))
    low, high = panel.bounds("y")
    axes.set_ylim(*((high, low) if panel.rows else (low, high)))
    for mark in panel.marks:
        _mark(axes, mark)
    if panel.rows:
        axes.set_yticks(range(len(panel.rows)), panel.rows)
    if panel.equal:
        axes.set_aspect("equal")
        axes.locator_params(nbins=5)
    axes.set_xlabel(panel.x_label, fontsize=9, color=_QUIET)
    axes.set_ylabel(panel.y_label, fontsize=9, color=_QUIET)
    axes.tick_params(labelsize=8, colors=_QUIET, length=3)
    if not panel.equal:
        axes.grid(visible=True, color=_LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_QUIET)
    if panel.legend or panel.note:
        below = axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.14),
            ncols=2 if len(panel.legend) > 1 else 1,
            fontsize=7.5,
            frameon=False,
            labelcolor=_TEXT,
            title=_wrapped(panel.note) or None,
            title_fontsize=8,
        )
        below.get_title().set_color(_QUIET)


def _mark(axes: "Axes", mark: Line | Dots | Arrows) -> None:
    if isinstance(mark, Arrows):
        u, v, strength = unit_arrows(mark)
        shades: Any = np.column_stack(
            [np.tile([0.36, 0.39, 0.42], (len(u), 1)), 0.15 + 0.6 * strength]
        )
        scale = 1.3 * max(8.0, math.sqrt(len(u)))  # arrows as long as the grid is wide
        axes.quiver(
            mark.x, mark.y, u, v, color=shades, angles="xy", pivot="mid", scale=scale, width=0.005
        )
        return
    label = mark.label or "_"
    colour = colour_of(mark.colour)
    if isinstance(mark, Line):
        axes.plot(
            mark.x,
            mark.y,
            label=label,
            color=colour,
            linestyle=_STROKES[mark.stroke],
            linewidth=1.5,
        )
        return
    face = "none" if mark.hollow else colour
    axes.plot(
        mark.x,
        mark.y,
        label=label,
        linestyle="none",
        marker="o",
        markersize=8.5 if mark.hollow else 5.5,
        markerfacecolor=face,
        markeredgecolor=colour,
        clip_on=True,
    )


def _wrapped(text: str, width: int = 62) -> str:
    import textwrap

    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width))
