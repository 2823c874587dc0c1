"""Samples as a picture: a grid of images, or a scatter plot of points. Data first, drawing second."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from steadygan.data import Interval, Scale

_SIDE = 480  # of a scatter plot [pixels]
_INK = {"real": (176, 180, 186), "fake": (31, 95, 191)}


def picture(
    samples: Tensor, bounds: tuple[float, float] | None, reals: Tensor | None = None
) -> Image.Image:
    """A picture of samples in the data's own units.

    Images (n, channels, height, width) become a grid, scaled so that ``bounds`` is black to white; anything else
    becomes a scatter plot of the first two coordinates, over the reals where they are given.
    """
    if samples.dim() == 4:
        return image_grid(samples, bounds or (float(samples.min()), float(samples.max())))
    return scatter(samples.flatten(1), None if reals is None else reals.flatten(1))


def image_grid(samples: Tensor, bounds: tuple[float, float], *, gap: int = 1) -> Image.Image:
    """Images side by side in a nearly square grid, enlarged by a whole factor where they are tiny.

    Shape: samples (n, 1 or 3 or more, height, width); of more than three channels the first three are shown.
    """
    low, high = bounds
    pixels = ((samples.float() - low) / max(high - low, 1e-12) * 255).round().clamp(0, 255)
    array = pixels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    array = np.repeat(array[..., :1], 3, axis=3) if array.shape[3] < 3 else array[..., :3]
    num, height, width, _ = array.shape
    columns = math.ceil(math.sqrt(num))
    rows = math.ceil(num / columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for i, image in enumerate(array):
        top, left = gap + (i // columns) * (height + gap), gap + (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    factor = max(1, round(320 / max(sheet.shape[:2])))
    return Image.fromarray(np.kron(sheet, np.ones((factor, factor, 1), np.uint8)))


def scatter(samples: Tensor, reals: Tensor | None = None) -> Image.Image:
    """Points in blue over the reals in grey, both axes to one scale that the reals decide.

    Shape: samples, reals (n, d); one coordinate is spread along the other axis by its rank.
    """
    fake = _plane(samples)
    real = _plane(reals) if reals is not None else fake
    centre = (real.min(axis=0) + real.max(axis=0)) / 2
    reach = max(float(np.abs(real - centre).max()), 1e-6) * 1.25
    sheet = Image.new("RGB", (_SIDE, _SIDE), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    layers = [(fake, "fake")] if reals is None else [(real, "real"), (fake, "fake")]
    for points, ink in layers:
        at = (points - centre) / reach * (_SIDE / 2) * np.array([1, -1]) + _SIDE / 2
        for x, y in at[(at >= 0).all(axis=1) & (at < _SIDE).all(axis=1)]:
            draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=_INK[ink])
    return sheet


def save_picture(sheet: Image.Image, path: Path, info: PngInfo | None = None) -> None:
    """Write a PNG, whole or not at all; ``info`` is text that goes into the file."""
    partial = path.with_name(f".{path.name}.partial")
    sheet.save(partial, format="PNG", pnginfo=info)
    partial.replace(path)


def bounds_of(scale: Scale) -> tuple[float, float] | None:
    """The data's own range, e.g. 0..255: black and white of a picture; None where it is unbounded."""
    return (scale.low, scale.high) if isinstance(scale, Interval) else None


def _plane(points: Tensor) -> npt.NDArray[np.float64]:
    array: npt.NDArray[np.float64] = points.detach().double().cpu().numpy()
    if array.shape[1] == 1:
        spread = np.linspace(-1, 1, len(array))[:, None]
        array = np.concatenate([array, spread * np.abs(array).max()], axis=1)
    return np.nan_to_num(array[:, :2], nan=1e9, posinf=1e9, neginf=-1e9)
