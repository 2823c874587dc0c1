"""How samples are made comparable before any feature map sees them: range, bytes, channels, size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from steadygan.data.layouts import Layout, first_where, infer_layout, slabs, to_channels_first
from steadygan.errors import ConfigError, DataError

_LUMA = (0.299, 0.587, 0.114)  # Rec. 601, as Pillow's mode L


@dataclass(frozen=True)
class Preparation:
    """What is done to both sides alike.

    Images are brought to bytes, 0..255 over their range, because most reals are stored as bytes and a
    feature map sees the difference; then to ``channels`` and to ``size``. Points are left alone.

    Args:
        size: side of the images: largest centred square, Lanczos over the footprint (Pillow), the same
            filter for files and arrays; None: as they are [pixels].
        channels: 1 (luma) or 3; None: as they are.
        range: (low, high) that images may take; None: 0..255 for bytes, for floats [0, 1] or [-1, 1],
            whichever holds all values. Bytes beyond it keep 0..255.
        hint: the range of the other side, for floats that neither of those holds.
        layout: axes of arrays by letter, where their shape can be read in two ways.
        quantise: round images to bytes; False keeps their floats (not for files, which are bytes).
        num: at most so many samples of each side, drawn at random; None: all.
        seed: of that draw, of latents, and of every metric that draws.
        skip_bad: leave unreadable image files out instead of stopping at the first.

    Raises:
        ConfigError: if an option is out of range.
    """

    size: int | None = None
    channels: int | None = None
    range: tuple[float, float] | None = None
    hint: tuple[float, float] | None = None
    layout: Layout | None = None
    quantise: bool = True
    num: int | None = 10_000
    seed: int = 0
    skip_bad: bool = False

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        if self.size is not None and self.size < 1:
            raise ConfigError(f"size must be >= 1, got {self.size}; 64 is a good start.")
        if self.channels not in (None, 1, 3):
            raise ConfigError(f"channels must be 1 or 3, got {self.channels}; leave it out.")
        if self.num is not None and self.num < 1:
            raise ConfigError(f"num must be >= 1, got {self.num}; 10000 is usual for FID.")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ConfigError(
                f"range must be (low, high) with low < high, got {self.range}; give e.g. (0, 255)."
            )
        if self.size is not None and not self.quantise:
            raise ConfigError(
                "size needs quantise=True, because images are resized as bytes; leave one of them out."
            )

    def of_images(
        self, x: Tensor, name: str, known: tuple[float, float] | None = None
    ) -> tuple[Tensor, dict[str, Any], tuple[str, ...]]:
        """Images as prepared, what was done to them, and what a person should know.

        Args:
            x: (n, h, w), (n, h, w, c) or (n, c, h, w), bytes or floats.
            name: what to call them in errors.
            known: the range they are known to have, where nothing else was said.

        Raises:
            DataError: for values that are not finite or out of range, and shapes that tell no layout.
        """
        x = to_channels_first(x, infer_layout(tuple(x.shape), self.layout, name))
        (low, high), notes = self._range_of(x, name, known)
        x = _rescaled(x, low, high, quantise=self.quantise)
        if self.channels is not None and x.shape[1] != self.channels:
            x = in_channels(x, self.channels, name)
        if self.size is not None:
            x = resized(x, self.size)
        return x, self.describe((low, high)), notes

    def describe(self, known: Sequence[float]) -> dict[str, Any]:
        """For the result: what was done."""
        return {
            "range": list(known),
            "quantisation": "8 bit" if self.quantise else "none",
            "resizing": "none" if self.size is None else f"centred square, lanczos, {self.size} px",
            "channels": "as they are" if self.channels is None else self.channels,
        }

    def _range_of(
        self, x: Tensor, name: str, known: tuple[float, float] | None
    ) -> tuple[tuple[float, float], tuple[str, ...]]:
        if x.is_floating_point():
            bad = first_where(x, lambda v: ~torch.isfinite(v))
            if bad is not None:
                raise DataError(
                    f"{name} must be finite, got {bad[1]} at {bad[0]}; remove or mend that sample."
                )
        stated = known or self.range
        if x.dtype == torch.uint8 and stated is None:
            return (0.0, 255.0), ()
        ends = [(float(rows.min()), float(rows.max())) for _, rows in slabs(x)]
        low, high = min(e[0] for e in ends), max(e[1] for e in ends)
        if stated is not None and _holds(stated, low, high):
            return stated, ()
        if x.dtype == torch.uint8:
            return (0.0, 255.0), ()
        if stated is not None:
            raise DataError(
                f"{name} must lie in [{stated[0]:g}, {stated[1]:g}], got [{low:g}, {high:g}]; "
                "clip the samples, or say which values are possible with range=(low, high) (--range)."
            )
        for guess in ((0.0, 1.0), (-1.0, 1.0)):
            if guess[0] <= low and high <= guess[1]:
                note = f"{name} was read as images in [{guess[0]:g}, {guess[1]:g}], by its values"
                return guess, (f"{note}; say range= (--range) if that is wrong.",)
        if self.hint is not None and _holds(self.hint, low, high):
            note = f"{name} was read as images in [{self.hint[0]:g}, {self.hint[1]:g}], as the other side"
            return self.hint, (f"{note}; say range= (--range) if that is wrong.",)
        raise DataError(
            f"{name} must lie in [0, 1] or [-1, 1] where no range is given, got [{low:g}, {high:g}]; "
            "say which values are possible, e.g. range=(0, 255) (--range 0,255)."
        )


def _holds(stated: tuple[float, float], low: float, high: float) -> bool:
    slack = 1e-4 * (stated[1] - stated[0])  # float32 rounding on the way here
    return stated[0] - slack <= low and high <= stated[1] + slack


def _rescaled(x: Tensor, low: float, high: float, *, quantise: bool) -> Tensor:
    if x.dtype == torch.uint8 and (low, high) == (0.0, 255.0) and quantise:
        return x
    dtype = torch.uint8 if quantise else torch.float32
    out = torch.empty(x.shape, dtype=dtype)
    for first, rows in slabs(x):
        unit = (rows.double() - low) / (high - low)
        values = (unit * 255).round().clamp(0, 255) if quantise else unit * 2 - 1
        out[first : first + len(rows)] = values
    return out


def in_channels(x: Tensor, channels: int, name: str) -> Tensor:
    """Grey to RGB by repetition, RGB to grey by luma.

    Raises:
        DataError: for images of neither 1 nor 3 channels.
    """
    if x.shape[1] == 1:
        return x.expand(-1, channels, -1, -1).contiguous()
    if x.shape[1] != 3:
        raise DataError(
            f"{name} must have 1 or 3 channels to be changed to {channels}, got {x.shape[1]}; "
            "leave channels out."
        )
    luma = torch.tensor(_LUMA).view(1, 3, 1, 1)
    out = torch.empty(len(x), 1, *x.shape[2:], dtype=x.dtype)
    for first, rows in slabs(x):
        grey = (rows.float() * luma).sum(dim=1, keepdim=True)
        out[first : first + len(rows)] = grey if x.is_floating_point() else grey.round()
    return out


def resized(x: Tensor, size: int) -> Tensor:
    """The largest centred square of each image at size x size, by the filter that image files pass.

    Shape: x (n, c, h, w) bytes -> (n, c, size, size).
    """
    height, width = x.shape[2:]
    if height == width == size:
        return x
    side = min(height, width)
    top, left = (height - side) / 2, (width - side) / 2
    box = (left, top, left + side, top + side)
    planes: NDArray[np.uint8] = x.flatten(0, 1).numpy()
    out = np.empty((len(planes), size, size), dtype=np.uint8)
    for i, plane in enumerate(planes):
        square = Image.fromarray(plane).resize((size, size), Image.Resampling.LANCZOS, box=box)
        out[i] = np.asarray(square)
    return torch.from_numpy(out).reshape(*x.shape[:2], size, size)
