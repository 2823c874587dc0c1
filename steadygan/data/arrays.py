"""Samples handed over in memory: tensors or numpy arrays of images or feature vectors."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from steadygan.data.array_source import ArraySource
from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.data.labels import checked_labels
from steadygan.data.layouts import (
    Layout,
    first_where,
    infer_layout,
    resized,
    slabs,
    to_channels_first,
)
from steadygan.data.scale import Affine, Interval, Scale
from steadygan.errors import ConfigError, DataError

Array = Tensor | NDArray[Any]


class Arrays(ArraySource):
    """Images or feature vectors from memory, with or without labels.

    Layouts: (n, d), (n, h, w), (n, h, w, c) or (n, c, h, w). Images are seen by the network as [-1,
    1]: bytes from [0, 255]; others from ``range``, or from [0, 1] or [-1, 1] where all values lie
    there. Feature vectors are standardised, (x - mean) / std per feature (a constant feature keeps
    std 1 and becomes 0), or mapped from ``range`` where it is given.

    Cost: one pass over the data to check it; bytes are kept as bytes, other numbers as float32.

    Args:
        x: the samples.
        y: class numbers from 0, one a sample; given, they are used.
        layout: axes by letter, where the shape can be read in two ways.
        range: (low, high) that the values may take.
        size: resize images to size x size [pixels]: largest centred square, bilinear with
            antialiasing.
        augment: augmentations of images, applied to what ``draw`` returns.

    Raises:
        DataError: if the samples or labels cannot be used, naming the first bad place and value.
        ConfigError: if an option is out of range.

    >>> source = Arrays(torch.rand(100, 28, 28))
    >>> source.event, source.size, source.network_range
    ((1, 28, 28), 100, (-1.0, 1.0))
    """

    def __init__(
        self,
        x: Array,
        y: Array | None = None,
        *,
        layout: Layout | None = None,
        range: Sequence[float | int] | None = None,
        size: int | None = None,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        self._take(f"{type(self).__name__}.x", x, y, layout, range, size, augment)

    def _take(
        self,
        name: str,
        x: Array,
        y: Array | None,
        layout: Layout | None,
        range: Sequence[float | int] | None,
        size: int | None,
        augment: Sequence[Augmentation],
    ) -> None:
        """Check everything, become an ``ArraySource``; errors call the samples ``name``."""
        samples = as_tensor(x, name)
        layout = infer_layout(tuple(samples.shape), layout, name)
        _refuse_non_finite(samples, name)
        stated = None if range is None else _checked_range(range, name)
        scale: Scale
        if layout == "nd" and stated is None:
            if size is not None:
                raise ConfigError(
                    f"{name}: size is for images, got vectors (n, d); leave size out."
                )
            scale = standardising(samples)
        else:
            scale = Interval(*_value_range(samples, stated, name))
        samples = to_channels_first(samples, layout)
        if size is not None and samples.ndim == 4:
            samples = resized(samples, size, name)
        if scale != Interval(0.0, 255.0) or samples.dtype != torch.uint8:
            samples = scale.to_network(samples)
        labels = None
        if y is not None:
            label_name = f"labels of {name}"
            labels = checked_labels(as_tensor(y, label_name), len(samples), label_name)
        classes = 0 if labels is None else int(labels.max()) + 1
        super().__init__(samples, labels, scale=scale, classes=classes, augment=augment)


def as_tensor(array: Array, name: str) -> Tensor:
    """The array as a real-valued CPU tensor; shares memory where it can.

    Raises:
        DataError: for anything but real numbers.
    """
    if isinstance(array, Tensor):
        tensor = array.detach().cpu()
    else:
        if array.dtype.kind not in "buif":
            raise DataError(
                f"{name} must hold real numbers, got dtype {array.dtype}; convert it first."
            )
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            array = array.astype(np.int64 if array.dtype.itemsize < 8 else np.float64)
        if (
            not array.flags.writeable
            or not array.dtype.isnative
            or min(array.strides, default=0) < 0
        ):
            array = array.astype(array.dtype.newbyteorder("="))
        tensor = torch.from_numpy(array)
    if tensor.is_complex():
        raise DataError(
            f"{name} must hold real numbers, got dtype {tensor.dtype}; convert it first."
        )
    return tensor.to(torch.uint8) if tensor.dtype == torch.bool else tensor


def standardising(x: Tensor) -> Affine:
    """Per-feature mean and standard deviation in float64; a constant feature gets 1."""
    std, mean = torch.std_mean(x.double(), dim=0, correction=0)
    # A constant feature's computed deviation is rounding noise: far below its own size.
    constant = std <= 1e-12 * mean.abs()
    return Affine(mean, torch.where(constant, 1.0, std))


def _refuse_non_finite(x: Tensor, name: str) -> None:
    bad = first_where(x, lambda v: ~torch.isfinite(v)) if x.is_floating_point() else None
    if bad is not None:
        raise DataError(
            f"{name} must be finite, got {bad[1]} at {bad[0]}; remove or mend that sample."
        )


def _checked_range(range: Sequence[float | int], name: str) -> tuple[float, float]:
    numbers = tuple(float(v) for v in range)
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)) or numbers[0] >= numbers[1]:
        raise ConfigError(
            f"{name}: range must be two finite numbers, low < high, got {list(range)}; "
            "give e.g. range=(0, 255)."
        )
    return numbers[0], numbers[1]


def _value_range(x: Tensor, stated: tuple[float, float] | None, name: str) -> tuple[float, float]:
    """The stated range, held against the values, or the one the type and the values tell."""
    ends = [(float(rows.min()), float(rows.max())) for _, rows in slabs(x)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if stated is not None:
        bad = first_where(x, lambda v: (v < stated[0]) | (v > stated[1]))
        if bad is not None:
            raise DataError(
                f"{name} must lie in the stated range [{stated[0]:g}, {stated[1]:g}], got "
                f"{bad[1]:g} at {bad[0]}; mend the value or widen range."
            )
        return stated
    if x.dtype == torch.uint8:
        if high <= 1:
            raise DataError(
                f"{name} are bytes, read as 0..255, but the largest is {high:g}; say range=(0, 1) "
                "if they are flags."
            )
        return 0.0, 255.0
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= -1 and high <= 1:
        return -1.0, 1.0
    raise DataError(
        f"{name} must lie in [0, 1] or [-1, 1] where no range is given, got [{low:g}, {high:g}]; "
        "say which values are possible, e.g. range=(0, 255)."
    )
