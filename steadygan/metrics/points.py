"""What every metric accepts: points (n, d), as a tensor or an array, checked once and taken to float64."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError

Points = Tensor | np.ndarray


def checked(name: str, x: Points, *, more_than: int = 0) -> Float[Tensor, "n d"]:
    """The points in float64, on their device.

    Args:
        name: what to call them in an error.
        x: one point a row.
        more_than: how many points there must be more than.

    Raises:
        DataError: for another shape, too few points, or a value that is NaN or infinite.
    """
    points = torch.as_tensor(x).detach()
    if points.dim() != 2 or points.shape[1] == 0:
        raise DataError(
            f"{name} must be points of shape (n, d), got {tuple(points.shape)}; flatten the samples."
        )
    if len(points) <= more_than:
        raise DataError(
            f"{name} must hold more than {more_than} points, got {len(points)}; "
            "give more samples or a smaller k."
        )
    points = points.double()
    bad = ~torch.isfinite(points)
    if bool(bad.any()):
        row, column = bad.nonzero()[0].tolist()
        raise DataError(
            f"{name} must be finite, got {float(points[row, column])} in sample {row}, feature "
            f"{column} ({int(bad.any(1).sum())} of {len(points)} samples are bad); remove or mend them."
        )
    return points


def checked_pair(
    fake: Points, real: Points, *, more_than: int = 0
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]:
    """Both sets, in float64, on the device of the reals.

    Raises:
        DataError: as ``checked``, and for sets of different dimension.
    """
    f = checked("fake", fake, more_than=more_than)
    r = checked("real", real, more_than=more_than)
    if f.shape[1] != r.shape[1]:
        raise DataError(
            f"fake and real must have the same number of features, got {f.shape[1]} and "
            f"{r.shape[1]}; measure both through one feature map."
        )
    return f.to(r.device), r
