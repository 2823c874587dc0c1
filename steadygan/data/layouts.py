"""What an array's axes mean, and bringing images to (n, channels, height, width)."""

import math
from collections.abc import Callable, Iterator
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor
from torch.nn.functional import interpolate

from steadygan.errors import ConfigError, DataError, unknown_name

Layout = Literal["nd", "nhw", "nhwc", "nchw"]
"""Axes by letter: n samples, h rows, w columns, c channels, d features."""

_CHANNELS = (1, 3)
_SLAB = 2**26  # bytes looked at in one go


def infer_layout(shape: tuple[int, ...], layout: Layout | None, name: str) -> Layout:
    """The layout as given, or as the shape tells.

    Four axes are told apart by which of the second and the last has length 1 or 3; a given layout
    may have any number of channels.

    Args:
        shape: of the whole array.
        layout: what the user says, or None.
        name: what to call the array in errors.

    Raises:
        DataError: for an empty array, a wrong number of axes, or axes that can be read in two ways.

    >>> infer_layout((60000, 28, 28), None, "x"), infer_layout((10, 32, 32, 3), None, "x")
    ('nhw', 'nhwc')
    """
    if layout is not None and layout not in get_args(Layout):
        raise unknown_name("layout", layout, get_args(Layout))
    if math.prod(shape) == 0:
        raise DataError(f"{name} must hold at least one sample, got shape {shape}; check the file.")
    if layout is not None:
        if len(layout) != len(shape):
            raise DataError(
                f"{name} must have {len(layout)} axes for layout {layout!r}, got shape {shape}; "
                "give the layout it has."
            )
        return layout
    if len(shape) == 2:
        return "nd"
    if len(shape) == 3:
        return "nhw"
    if len(shape) != 4:
        raise DataError(
            f"{name} must have 2 axes (n, d), 3 (n, h, w) or 4 (images with channels), got shape "
            f"{shape}; reshape it."
        )
    first, last = shape[1] in _CHANNELS, shape[3] in _CHANNELS
    if first == last:
        seen = (
            "both the second and the last axis" if first else "neither the second nor the last axis"
        )
        raise DataError(
            f"{name}: {seen} of shape {shape} could be channels (1 or 3); say layout='nchw' or "
            "'nhwc'."
        )
    return "nchw" if first else "nhwc"


def to_channels_first(x: Shaped[Tensor, "n ..."], layout: Layout) -> Shaped[Tensor, "n ..."]:
    """Images as (n, c, h, w), features as they are; copies only where axes move."""
    if layout == "nhw":
        return x[:, None]
    return x.permute(0, 3, 1, 2).contiguous() if layout == "nhwc" else x


def resized(x: Shaped[Tensor, "n c h w"], size: int, name: str) -> Shaped[Tensor, "n c size size"]:
    """The largest centred square, brought to size x size: bilinear with antialiasing, bytes
    rounded.

    Raises:
        ConfigError: if size < 1.
    """
    if size < 1:
        raise ConfigError(
            f"{name}: size must be >= 1, got {size}; leave it out to keep the images' own."
        )
    h, w = x.shape[2:]
    if h == w == size:
        return x
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    x = x[:, :, top : top + side, left : left + side]
    out = torch.empty(len(x), x.shape[1], size, size, dtype=x.dtype)
    for first, rows in slabs(x):
        values = interpolate(
            rows.float(), (size, size), mode="bilinear", align_corners=False, antialias=True
        )
        out[first : first + len(rows)] = values if x.is_floating_point() else values.round()
    return out


def slabs(x: Shaped[Tensor, "n ..."]) -> Iterator[tuple[int, Shaped[Tensor, "m ..."]]]:
    """The array in pieces of some 64 MiB, each with the number of its first row."""
    rows = max(1, _SLAB // max(1, x[:1].nbytes))
    for first in range(0, len(x), rows):
        yield first, x[first : first + rows]


def first_where(
    x: Shaped[Tensor, "n ..."], test: Callable[[Tensor], Bool[Tensor, "..."]]
) -> tuple[str, float] | None:
    """Index and value of the first element that passes the test, or None.

    >>> first_where(torch.tensor([[0.0, 2.0]]), lambda x: x > 1)
    ('[0, 1]', 2.0)
    """
    for first, rows in slabs(x):
        found = test(rows)
        if found.any():
            row, *rest = found.nonzero()[0].tolist()
            return str([first + row, *rest]), float(rows[row, *rest])
    return None
