"""Line charts as inline SVG: arrays in, text out. Complete without a script."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Bool, Float, Int

from steadygan.report.scales import (
    Scale,
    linear_ticks,
    log_ticks,
    number,
    tick_labels,
    wants_log,
    y_range,
)

WIDTH, HEIGHT = 560, 230
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 10, 30
MOST_POINTS = 600


@dataclass(frozen=True)
class Series:
    """One line: a label and the measured points, in the order of steps."""

    label: str
    steps: Int[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Marker:
    """A step at which something happened; tone "event", "info", "warning" or "critical"."""

    step: int
    label: str
    tone: str = "event"


@dataclass(frozen=True)
class Thinned:
    """A series in at most ``MOST_POINTS`` bins: lowest, mean and highest value of each.

    NaN where a bin holds no finite value.
    """

    steps: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    mean: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    is_binned: bool


def thin(series: Series, first: float, last: float) -> Thinned:
    """Reduce a series to what can be seen, keeping each bin's extremes, so that no spike is lost.

    Shape: series (n,) -> (min(n, MOST_POINTS),).
    """
    drawable = _drawable(series.values)
    num = len(series.values)
    if num <= MOST_POINTS:
        values = np.where(drawable, series.values, np.nan)
        return Thinned(series.steps.astype(float), values, values, values, is_binned=False)
    # At least two points a bin, so that a regular series leaves no bin empty: empty means a gap.
    num_bins = min(MOST_POINTS, num // 2)
    share = (series.steps - first) / max(last - first, 1)
    bins = np.clip((share * num_bins).astype(np.int64), 0, num_bins - 1)
    low, high = np.full(num_bins, np.inf), np.full(num_bins, -np.inf)
    np.minimum.at(low, bins[drawable], series.values[drawable])
    np.maximum.at(high, bins[drawable], series.values[drawable])
    total = np.bincount(bins[drawable], series.values[drawable], num_bins)
    count = np.bincount(bins[drawable], minlength=num_bins)
    empty = count == 0
    low[empty] = high[empty] = np.nan
    mean = np.where(empty, np.nan, total / np.maximum(count, 1))
    centres = first + (np.arange(num_bins) + 0.5) / num_bins * (last - first)
    return Thinned(centres, low, mean, high, is_binned=True)


def _drawable(values: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Finite, and small enough that sums of them stay so."""
    return np.asarray(np.abs(values) < 1e200)


def line_chart(
    title: str, series: Sequence[Series], *, unit: str = "", markers: Sequence[Marker] = ()
) -> str:
    """One chart with every series on common axes.

    Lines break where values are missing: at NaN or infinity, and where the distance between two
    measurements exceeds one and a half times the usual one. Above ``MOST_POINTS`` points the band
    shows each bin's lowest and highest value and the line its mean. The value axis is logarithmic
    when all values are positive and span more than three decades.

    Args:
        title: names the chart for those who cannot see it.
        series: at least one, in the order of colours.
        unit: of the values; "" for none.
        markers: drawn as vertical lines.
    """
    drawn = [s for s in series if _drawable(s.values).any()]
    if not drawn:
        return f'<p class="empty">{escape(title)}: no finite value was measured.</p>'
    first = float(min(s.steps[0] for s in drawn))
    last = max(float(max(s.steps[-1] for s in drawn)), first + 1)
    thinned = [thin(s, first, last) for s in series]
    values = np.concatenate([s.values[_drawable(s.values)] for s in drawn])
    low, high = float(values.min()), float(values.max())
    is_log = wants_log(low, high)
    x = Scale(first, last, LEFT, WIDTH - RIGHT)
    y = Scale(*y_range(low, high, is_log=is_log), HEIGHT - BOTTOM, TOP, is_log)
    parts = [
        _axes(x, y, unit),
        *(_marker(m, x) for m in markers if first <= m.step <= last),
        *(_curve(t, x, y, k) for k, t in enumerate(thinned)),
    ]
    text = _described(title, drawn, low, high, is_log=is_log)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f"data-points='{_readout(series, thinned, x)}'>{text}{''.join(parts)}"
        f'<line class="cursor" y1="{TOP}" y2="{HEIGHT - BOTTOM}" visibility="hidden"/></svg>'
    )


def _described(
    title: str, series: Sequence[Series], low: float, high: float, *, is_log: bool
) -> str:
    names = ", ".join(s.label for s in series)
    steps = f"steps {min(s.steps[0] for s in series)} to {max(s.steps[-1] for s in series)}"
    axis = ", logarithmic" if is_log else ""
    desc = f"{names} over {steps}; values from {number(low)} to {number(high)}{axis}."
    return f"<title>{escape(title)}</title><desc>{escape(desc)}</desc>"


def _axes(x: Scale, y: Scale, unit: str) -> str:
    rows = log_ticks(y.low, y.high, 5) if y.is_log else linear_ticks(y.low, y.high, 5)
    parts = []
    for tick, label in zip(rows, tick_labels(rows), strict=True):
        height = f"{y(tick):.1f}"
        text = label + (f" {escape(unit)}" if unit else "")
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}"/>'
        )
        parts.append(f'<text class="y" x="{LEFT - 8}" y="{height}" dy=".32em">{text}</text>')
    steps = [t for t in linear_ticks(x.low, x.high, 5) if t == int(t)]
    for tick, label in zip(steps, tick_labels(steps), strict=True):
        at = x(tick)
        anchor = "end" if at > WIDTH - RIGHT - 14 else "middle"
        parts.append(
            f'<text class="x" x="{at:.1f}" y="{HEIGHT - 9}" text-anchor="{anchor}">{label}</text>'
        )
    base = HEIGHT - BOTTOM
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    return "".join(parts)


def _marker(marker: Marker, x: Scale) -> str:
    at = f"{x(marker.step):.1f}"
    return (
        f'<g class="marker {escape(marker.tone)}"><title>{escape(marker.label)}, step {marker.step}'
        f'</title><line x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/></g>'
    )


def _curve(points: Thinned, x: Scale, y: Scale, index: int) -> str:
    band, line = [], []
    for start, stop in _segments(points):
        px = [f"{x(s):.1f}" for s in points.steps[start:stop]]
        mean = [f"{y(v):.1f}" for v in points.mean[start:stop]]
        path = "L".join(f"{a} {b}" for a, b in zip(px, mean, strict=True))
        line.append(f"M{path}" + ("h0" if stop - start == 1 else ""))
        if points.is_binned:
            highs = [f"{a} {y(v):.1f}" for a, v in zip(px, points.high[start:stop], strict=True)]
            lows = [f"{a} {y(v):.1f}" for a, v in zip(px, points.low[start:stop], strict=True)]
            band.append(f"M{'L'.join([*highs, *reversed(lows)])}Z")
    envelope = f'<path class="band" d="{"".join(band)}"/>' if band else ""
    return f'<g class="series s{index}">{envelope}<path class="line" d="{"".join(line)}"/></g>'


def _segments(points: Thinned) -> list[tuple[int, int]]:
    """The runs [start, stop) of points to be joined."""
    finite = np.isfinite(points.mean)
    if len(finite) > 1:
        spacing = np.diff(points.steps)
        apart = spacing > 1.5 * np.median(spacing)
    else:
        apart = np.empty(0, dtype=bool)
    runs: list[tuple[int, int]] = []
    start = None
    for index, good in enumerate(finite):
        if start is not None and (not good or apart[index - 1]):
            runs.append((start, index))
            start = None
        if good and start is None:
            start = index
    return runs if start is None else [*runs, (start, len(finite))]


def _readout(series: Sequence[Series], thinned: Sequence[Thinned], x: Scale) -> str:
    """What the script shows under the pointer: steps, and the range in each bin."""
    lines = [
        {
            "label": s.label,
            "steps": [round(v) for v in t.steps],
            "low": [_rounded(v) for v in t.low],
            "high": [_rounded(v) for v in t.high] if t.is_binned else None,
        }
        for s, t in zip(series, thinned, strict=True)
    ]
    whole = {"x": [x.low, x.high, x.start, x.stop, WIDTH], "series": lines}
    return escape(json.dumps(whole, separators=(",", ":"), allow_nan=False), quote=True)


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
