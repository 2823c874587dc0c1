"""Figures as one self-contained HTML file with the report's looks: SVG, no script, nothing loaded."""

import math
from html import escape
from importlib.resources import files

import numpy as np

from steadygan.report.figures.palette import colour_of
from steadygan.report.figures.panel import Arrows, Dots, Figure, Line, Panel, unit_arrows
from steadygan.report.scales import Scale, linear_ticks, log_ticks, number, tick_labels

_WIDTH, _HEIGHT = 520, 380
_RIGHT, _TOP, _BOTTOM = 14, 12, 46
_ROW = 22
_DASHES = {"solid": "", "dashed": ' stroke-dasharray="6 4"', "dotted": ' stroke-dasharray="1.5 3"'}
_STYLE = """
.plots { display: grid; gap: 34px 40px; margin-top: 30px;
  grid-template-columns: repeat(auto-fill, minmax(min(430px, 100%), 1fr)); }
.plots h3 { margin-bottom: 6px; }
.plots .legend { flex-wrap: wrap; gap: 3px 16px; margin-top: 4px; }
.key.dot::before { width: 9px; height: 9px; border-radius: 50%;
  border: 1.5px solid var(--ink); box-sizing: border-box; }
.key.hollow::before { background: none; }
.chart .label { font-size: 12.5px; }
"""


def page(figure: Figure) -> str:
    """The whole file."""
    style = files("steadygan.report").joinpath("style.css").read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    plots = "".join(_figure(panel) for panel in figure.panels)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(figure.title)}</title>\n<style>\n{style}{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(figure.title)}</h1>\n"
        f'<p class="verdict">{escape(figure.subtitle)}</p>\n'
        f'<div class="plots">{plots}</div>\n</main></body></html>\n'
    )


def _figure(panel: Panel) -> str:
    keys = "".join(_key(mark) for mark in panel.legend)
    note = f"<figcaption>{escape(panel.note)}</figcaption>" if panel.note else ""
    return (
        f"<figure><h3>{escape(panel.title)}</h3>{_chart(panel)}"
        f'<div class="legend">{keys}</div>{note}</figure>\n'
    )


def _key(mark: Line | Dots) -> str:
    kind = "key"
    if isinstance(mark, Dots):
        kind += " dot hollow" if mark.hollow else " dot"
    return (
        f'<span class="{kind}" style="--ink:{colour_of(mark.colour)}">{escape(mark.label)}</span>'
    )


def _chart(panel: Panel) -> str:
    left: float = (
        min(230, 16 + 7 * max((len(r) for r in panel.rows), default=0)) if panel.rows else 66
    )
    height = max(_HEIGHT, _TOP + _BOTTOM + _ROW * len(panel.rows)) if panel.rows else _HEIGHT
    x_low, x_high = panel.bounds("x")
    y_low, y_high = panel.bounds("y")
    across: float
    down: float
    across, down = _WIDTH - left - _RIGHT, height - _TOP - _BOTTOM
    if panel.equal:  # the wider axis decides
        unit = min(across / (x_high - x_low), down / (y_high - y_low))
        left += round((across - unit * (x_high - x_low)) / 2)
        across, down = unit * (x_high - x_low), unit * (y_high - y_low)
    x = Scale(x_low, x_high, left, left + across, panel.log_x)
    y = Scale(y_low, y_high, _TOP + down, _TOP, panel.log_y)
    if panel.rows:
        y = Scale(y_low, y_high, _TOP, _TOP + down)
    clip = f"clip{abs(hash((panel.title, panel.x_label, panel.y_label))) % 10**8}"
    inner = "".join(_mark(mark, x, y) for mark in panel.marks)
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{escape(panel.title)}</title><desc>{escape(_described(panel))}</desc>"
        f'<clipPath id="{clip}"><rect x="{left - 6}" y="{_TOP - 6}" width="{across + 12:.1f}" '
        f'height="{down + 12:.1f}"/></clipPath>'
        f'{_axes(panel, x, y, left, across, down)}<g clip-path="url(#{clip})">{inner}</g></svg>'
    )


def _described(panel: Panel) -> str:
    names = ", ".join(mark.label for mark in panel.legend)
    low, high = panel.bounds("x")
    return f"{names}; {panel.x_label} from {number(low)} to {number(high)}."


def _axes(panel: Panel, x: Scale, y: Scale, left: float, across: float, down: float) -> str:
    base = _TOP + down
    parts = []
    ticks = _ticks(x)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        at = f"{x(tick):.1f}"
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{_TOP}" y2="{base:.1f}"/>')
        parts.append(
            f'<text class="x" x="{at}" y="{base + 16:.1f}" text-anchor="middle">{label}</text>'
        )
    if panel.rows:
        named = [(float(k), escape(name)) for k, name in enumerate(panel.rows)]
    else:
        ticks = _ticks(y)
        named = list(zip(ticks, tick_labels(ticks), strict=True))
    for tick, label in named:
        at = f"{y(tick):.1f}"
        end = f"{left + across:.1f}"
        parts.append(f'<line class="grid" x1="{left}" x2="{end}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="y" x="{left - 8}" y="{at}" dy=".32em">{label}</text>')
    middle = left + across / 2
    parts.append(
        f'<line class="axis" x1="{left}" x2="{left + across:.1f}" y1="{base:.1f}" y2="{base:.1f}"/>'
        f'<text class="label" x="{middle:.1f}" y="{base + 36:.1f}" text-anchor="middle">'
        f"{escape(panel.x_label)}</text>"
    )
    if panel.y_label:
        halfway = _TOP + down / 2
        beside = max(12, left - 52)
        parts.append(
            f'<text class="label" transform="translate({beside} {halfway:.1f}) rotate(-90)" '
            f'text-anchor="middle">{escape(panel.y_label)}</text>'
        )
    return "".join(parts)


def _ticks(scale: Scale) -> list[float]:
    if not scale.is_log:
        return linear_ticks(scale.low, scale.high, 5)
    powers = log_ticks(scale.low, scale.high, 5)
    if len(powers) > 1:
        return powers
    steps = [m * 10.0**k for k in range(-12, 13) for m in (1, 2, 3, 5)]
    return [s for s in steps if scale.low <= s <= scale.high][:8] or [scale.low]


def _mark(mark: Line | Dots | Arrows, x: Scale, y: Scale) -> str:
    if isinstance(mark, Arrows):
        return _field(mark, x, y)
    points = [
        (x(a), y(b)) if _drawable(a, x) and _drawable(b, y) else None
        for a, b in zip(mark.x.tolist(), mark.y.tolist(), strict=True)
    ]
    colour = colour_of(mark.colour)
    if isinstance(mark, Dots):
        fill, radius = ("none", 6) if mark.hollow else (colour, 4)
        return "".join(
            f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="{radius}" fill="{fill}" stroke="{colour}" '
            'stroke-width="1.5"/>'
            for p in points
            if p is not None
        )
    path, pen = [], "M"
    for p in points:
        if p is None:
            pen = "M"
            continue
        path.append(f"{pen}{p[0]:.1f} {p[1]:.1f}")
        pen = "L"
    dash = _DASHES[mark.stroke]
    return f'<path d="{"".join(path)}" stroke="{colour}" stroke-width="1.6"{dash}/>'


def _drawable(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and abs(value) < 1e9 and (value > 0 or not scale.is_log)


def _field(arrows: Arrows, x: Scale, y: Scale) -> str:
    u, v, strength = unit_arrows(arrows)
    spacing = abs(x.stop - x.start) / max(1.0, math.sqrt(len(u)))
    half = 0.36 * spacing
    parts = []
    for a, b, du, dv, s in zip(arrows.x, arrows.y, u, v, strength, strict=True):
        if s == 0 or not np.isfinite(s):
            continue
        px, py = x(float(a)), y(float(b))
        ex, ey = half * float(du), -half * float(dv)
        tip_x, tip_y = px + ex, py + ey
        left = (tip_x - 0.5 * ex - 0.3 * ey, tip_y - 0.5 * ey + 0.3 * ex)
        right = (tip_x - 0.5 * ex + 0.3 * ey, tip_y - 0.5 * ey - 0.3 * ex)
        parts.append(
            f'<path d="M{px - ex:.1f} {py - ey:.1f}L{tip_x:.1f} {tip_y:.1f}M{left[0]:.1f} {left[1]:.1f}'
            f'L{tip_x:.1f} {tip_y:.1f}L{right[0]:.1f} {right[1]:.1f}" stroke-opacity="{0.2 + 0.6 * s:.2f}"/>'
        )
    return f'<g stroke="var(--quiet)" stroke-width="1.1">{"".join(parts)}</g>'
