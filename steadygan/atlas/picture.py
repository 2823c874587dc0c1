"""The map as a PNG: a square a cell, a stripe a seed, the colours of the outcomes."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from steadygan.atlas.outcome import OUTCOMES
from steadygan.atlas.outcome_map import OutcomeMap
from steadygan.atlas.places import position

INK = {
    "healthy": "#2a9d5c",
    "collapsed": "#d1495b",
    "oscillating": "#edae49",
    "vanishing": "#7d8597",
    "exploded": "#3d1f4e",
    None: "#f1f1f1",
}
"""Colours of outcomes, told apart by lightness too."""

_TEXT, _CURVE = "#222222", "#0057ff"
_LEFT, _TOP, _BOTTOM, _GAP = 110, 40, 90, 30
_MOST_WIDE = 480


def write_picture(found: OutcomeMap, path: Path) -> None:
    """Draw every objective's map side by side, with axes, legend and curves, into one PNG."""
    rows, columns = found.shape
    side = max(8, min(40, _MOST_WIDE // columns, _MOST_WIDE // rows))
    width, height = columns * side, rows * side
    panel = _LEFT + width + _GAP
    image = Image.new(
        "RGB", (max(540, panel * len(found.objectives)), _TOP + height + _BOTTOM), "white"
    )
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(12)
    for number, objective in enumerate(found.objectives):
        left = number * panel + _LEFT
        draw.text((left, 12), f"{found.name}: {objective}", fill=_TEXT, font=font)
        _cells(draw, found, objective, left, side)
        _axes(draw, found, left, side, font)
        _curves(draw, found, left, side)
    _legend(draw, found, _TOP + height + 62, font)
    image.save(path)


def _cells(
    draw: ImageDraw.ImageDraw, found: OutcomeMap, objective: str, left: int, side: int
) -> None:
    rows, columns = found.shape
    for i in range(rows):
        top = _TOP + (rows - 1 - i) * side  # large values at the top, as in every chart
        for j in range(columns):
            outcomes = found.outcomes(objective, i, j)
            order = sorted(outcomes, key=lambda o: OUTCOMES.index(o) if o else len(OUTCOMES))
            for k, outcome in enumerate(order):
                x0 = left + j * side + round(k * side / len(order))
                x1 = left + j * side + round((k + 1) * side / len(order))
                draw.rectangle((x0, top, x1 - 1, top + side - 1), fill=INK[outcome])
            if side >= 12:
                x0 = left + j * side
                draw.rectangle((x0, top, x0 + side - 1, top + side - 1), outline="white")


def _axes(
    draw: ImageDraw.ImageDraw,
    found: OutcomeMap,
    left: int,
    side: int,
    font: "ImageFont.ImageFont | ImageFont.FreeTypeFont",
) -> None:
    rows, columns = found.shape
    bottom = _TOP + rows * side
    for j in _ticks(columns):
        text = tick(found.x.values[j])
        draw.text((left + j * side + side // 2 - 3 * len(text), bottom + 6), text, _TEXT, font)
    draw.text((left, bottom + 26), found.x.key, fill=_TEXT, font=font)
    if found.y is None:
        return
    for i in _ticks(rows):
        text = tick(found.y.values[i])
        top = _TOP + (rows - 1 - i) * side + side // 2 - 7
        draw.text((left - 8 - 7 * len(text), top), text, _TEXT, font)
    draw.text((left - _LEFT + 6, _TOP - 16), found.y.key, fill=_TEXT, font=font)


def _curves(draw: ImageDraw.ImageDraw, found: OutcomeMap, left: int, side: int) -> None:
    """Each curve as a line, broken where it leaves the map."""
    rows, columns = found.shape
    if found.y is None:
        return
    for curve in found.curves:
        piece: list[tuple[float, float]] = []
        for x, y in zip(curve.x, curve.y, strict=True):
            at = position(found.x, x), position(found.y, y)
            if -0.5 <= at[0] <= columns - 0.5 and -0.5 <= at[1] <= rows - 0.5:
                piece.append((left + (at[0] + 0.5) * side, _TOP + (rows - 0.5 - at[1]) * side))
                continue
            _line(draw, piece)
            piece = []
        _line(draw, piece)


def _line(draw: ImageDraw.ImageDraw, piece: list[tuple[float, float]]) -> None:
    if len(piece) > 1:
        draw.line(piece, fill="white", width=5)
        draw.line(piece, fill=_CURVE, width=2)


def _legend(
    draw: ImageDraw.ImageDraw,
    found: OutcomeMap,
    top: int,
    font: "ImageFont.ImageFont | ImageFont.FreeTypeFont",
) -> None:
    left = 10
    for outcome in OUTCOMES:
        draw.rectangle((left, top, left + 11, top + 11), fill=INK[outcome])
        draw.text((left + 16, top - 2), outcome, fill=_TEXT, font=font)
        left += 30 + 7 * len(outcome)
    for curve in found.curves:
        draw.line((left, top + 6, left + 14, top + 6), fill=_CURVE, width=2)
        draw.text((left + 20, top - 2), curve.name, fill=_TEXT, font=font)


def _ticks(num: int) -> list[int]:
    every = max(1, (num + 3) // 4)
    return list(range(0, num, every))


def tick(value: object) -> str:
    """A value as an axis shows it."""
    return f"{value:.2g}" if isinstance(value, int | float) else str(value)
