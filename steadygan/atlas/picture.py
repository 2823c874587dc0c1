"""The map as a PNG: a square a cell, a stripe a seed, the colours of the outcomes."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from steadygan.atlas.curve import Curve
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

_TEXT = "#222222"
_CURVES = ("#0057ff", "#c000c0", "#00838f", "#6d4c00")
_LEFT, _TOP, _BOTTOM, _GAP = 110, 40, 90, 30
_LINE = 18
_MOST_WIDE = 480


def write_picture(found: OutcomeMap, path: Path) -> None:
    """Draw every objective's map side by side, with axes, legend and curves, into one PNG."""
    rows, columns = found.shape
    side = max(8, min(40, _MOST_WIDE // columns, _MOST_WIDE // rows))
    width, height = columns * side, rows * side
    panel = _LEFT + width + _GAP
    font = ImageFont.load_default(12)
    ink = curve_ink(found)
    widest = max((int(font.getlength(name)) + 40 for name in ink), default=0)
    size = (
        max(540, widest, panel * len(found.objectives)),
        _TOP + height + _BOTTOM + _LINE * len(ink),
    )
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for number, objective in enumerate(found.objectives):
        left = number * panel + _LEFT
        draw.text((left, 12), f"{found.name}: {objective}", fill=_TEXT, font=font)
        _cells(draw, found, objective, left, side)
        _axes(draw, found, left, side, font)
        for curve in found.lines(objective):
            for piece in pieces(found, curve):
                places = [
                    (left + (x + 0.5) * side, _TOP + (rows - 0.5 - y) * side) for x, y in piece
                ]
                _line(draw, places, ink[curve.name])
    _legend(draw, ink, _TOP + height + 62, font)
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


def curve_ink(found: OutcomeMap) -> dict[str, str]:
    """A colour for each name of a line, in the order of the legend."""
    names = [curve.name for objective in found.objectives for curve in found.lines(objective)]
    return {
        name: _CURVES[number % len(_CURVES)] for number, name in enumerate(dict.fromkeys(names))
    }


def pieces(found: OutcomeMap, curve: Curve) -> list[list[tuple[float, float]]]:
    """A curve in cells, cut where it leaves the map."""
    cut: list[list[tuple[float, float]]] = [[]]
    if found.y is None:
        return []
    rows, columns = found.shape
    for x, y in zip(curve.x, curve.y, strict=True):
        at = position(found.x, x), position(found.y, y)
        if -0.5 <= at[0] <= columns - 0.5 and -0.5 <= at[1] <= rows - 0.5:
            cut[-1].append(at)
        elif cut[-1]:
            cut.append([])
    return [piece for piece in cut if piece]


def _line(draw: ImageDraw.ImageDraw, piece: list[tuple[float, float]], ink: str) -> None:
    if len(piece) > 1:
        draw.line(piece, fill="white", width=5)
        draw.line(piece, fill=ink, width=2)


def _legend(
    draw: ImageDraw.ImageDraw,
    ink: dict[str, str],
    top: int,
    font: "ImageFont.ImageFont | ImageFont.FreeTypeFont",
) -> None:
    left = 10
    for outcome in OUTCOMES:
        draw.rectangle((left, top, left + 11, top + 11), fill=INK[outcome])
        draw.text((left + 16, top - 2), outcome, fill=_TEXT, font=font)
        left += 30 + 7 * len(outcome)
    for name, colour in ink.items():
        top += _LINE
        draw.line((10, top + 6, 24, top + 6), fill=colour, width=2)
        draw.text((30, top - 2), name, fill=_TEXT, font=font)


def _ticks(num: int) -> list[int]:
    every = max(1, (num + 3) // 4)
    return list(range(0, num, every))


def tick(value: object) -> str:
    """A value as an axis shows it."""
    return f"{value:.2g}" if isinstance(value, int | float) else str(value)
