"""Class labels as they come, checked and brought to int64."""

import torch
from jaxtyping import Shaped
from torch import Tensor

from steadygan.data.layouts import first_where
from steadygan.errors import DataError
from steadygan.types import Labels


def checked_labels(y: Shaped[Tensor, "..."], num: int, name: str) -> Labels:
    """Labels as int64 class numbers; whole floats and columns (n, 1) are taken.

    Args:
        y: one label a sample.
        num: how many samples there are.
        name: what to call the labels in errors.

    Raises:
        DataError: for another length or shape, and for negative or fractional labels.

    >>> checked_labels(torch.tensor([[2.0], [0.0]]), 2, "y")
    tensor([2, 0])
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{name} must be class numbers of shape ({num},), got shape {tuple(y.shape)}; "
            "turn one-hot rows into numbers with argmax(1)."
        )
    if len(y) != num:
        raise DataError(
            f"{name} must have one label a sample, got {len(y)} labels for {num} samples; "
            "check that both come from the same split."
        )
    if y.is_complex():
        raise DataError(
            f"{name} must be whole numbers >= 0, got dtype {y.dtype}; number the classes."
        )
    bad = first_where(y, lambda v: (v < 0) | (v != v.trunc()) | ~torch.isfinite(v))
    if bad is not None:
        raise DataError(
            f"{name} must be whole numbers >= 0, got {bad[1]:g} at {bad[0]}; number the classes "
            "from 0."
        )
    return y.to(torch.int64)
