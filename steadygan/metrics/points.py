"""What every metric accepts: points (n, d), as a tensor or an array of any real type, checked once."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from steadygan.errors import DataError

Points = Tensor | np.ndarray
_CHUNK = 2**22  # numbers looked at at once
# Sizes whose sixth power, the highest that a metric takes, float64 holds; or whose square it does.
_LARGEST, _SMALLEST = 1e50, 1e-100


def checked(name: str, x: Points, *, more_than: int = 0) -> Float[Tensor, "n d"]:
    """The points in float64, on their device.

    Args:
        name: what to call them in an error.
        x: one point a row.
        more_than: how many points there must be more than.

    Raises:
        DataError: for another shape or type, too few points, or a value that is NaN, infinite, or out
            of all proportion.
    """
    return as_given(name, x, more_than=more_than).double()


def as_given(name: str, x: Points, *, more_than: int = 0) -> Num[Tensor, "n d"]:
    """The points, checked alike, but in the type they came in: half the memory for float32."""
    points = torch.as_tensor(x).detach()
    if points.is_complex() or points.dtype == torch.bool:
        raise DataError(f"{name} must be real numbers, got {points.dtype}; convert the features.")
    if points.dim() != 2 or points.shape[1] == 0:
        raise DataError(
            f"{name} must be points of shape (n, d), got {tuple(points.shape)}; flatten the samples."
        )
    if len(points) <= more_than:
        raise DataError(
            f"{name} must hold more than {more_than} points, got {len(points)}; "
            "give more samples or a smaller k."
        )
    _refuse_non_finite(name, points)
    largest = float(torch.maximum(points.max().double(), -points.min().double()))
    if largest > _LARGEST or 0 < largest < _SMALLEST:
        raise DataError(
            f"{name} must be between {_SMALLEST:g} and {_LARGEST:g} in size, got {largest:.3g} at "
            "most; scale the features."
        )
    return points


def _refuse_non_finite(name: str, points: Num[Tensor, "n d"]) -> None:
    if not points.is_floating_point():
        return
    step = max(1, _CHUNK // points.shape[1])
    bad_rows = torch.cat([~torch.isfinite(part).all(dim=1) for part in torch.split(points, step)])
    if bool(bad_rows.any()):
        row = int(bad_rows.nonzero()[0])
        column = int((~torch.isfinite(points[row])).nonzero()[0])
        raise DataError(
            f"{name} must be finite, got {float(points[row, column])} in sample {row}, feature "
            f"{column} ({int(bad_rows.sum())} of {len(points)} samples are bad); remove or mend them."
        )


def _pair(
    check: Callable[..., Tensor], fake: Points, real: Points, more_than: int
) -> tuple[Num[Tensor, "n d"], Num[Tensor, "m d"]]:
    f = check("fake", fake, more_than=more_than)
    r = check("real", real, more_than=more_than)
    if f.shape[1] != r.shape[1]:
        raise DataError(
            f"fake and real must have the same number of features, got {f.shape[1]} and "
            f"{r.shape[1]}; measure both through one feature map."
        )
    return f.to(r.device), r


def checked_pair(
    fake: Points, real: Points, *, more_than: int = 0
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]:
    """Both sets, in float64, on the device of the reals.

    Raises:
        DataError: as ``checked``, and for sets of different dimension.
    """
    return _pair(checked, fake, real, more_than)


def pair_as_given(
    fake: Points, real: Points, *, more_than: int = 0
) -> tuple[Num[Tensor, "n d"], Num[Tensor, "m d"]]:
    """Both sets, in the types they came in, on the device of the reals."""
    return _pair(as_given, fake, real, more_than)


def same_samples(fake: Num[Tensor, "n d"], real: Num[Tensor, "m d"]) -> bool:
    """Whether both sets hold the same rows, in any order: then nothing can be estimated from them."""
    if fake.shape != real.shape or fake.dtype != real.dtype:
        return False
    if torch.equal(fake, real):
        return True
    sums = [float(x.sum(dtype=torch.float64)) for x in (fake, real)]
    largest = max(float(fake.max()), -float(fake.min()))
    if abs(sums[0] - sums[1]) > 1e-9 * fake.numel() * largest:
        return False
    keys = [_keys(x) for x in (fake, real)]
    if not torch.equal(*(key.sort().values for key in keys)):
        return False
    orders = [key.argsort(stable=True) for key in keys]
    return torch.equal(fake[orders[0]], real[orders[1]])


def _keys(x: Num[Tensor, "n d"]) -> Int[Tensor, " n"]:
    """A whole number for each row, from its bits: sums of floats would depend on where the row stands."""
    seed = torch.Generator().manual_seed(0)
    odd = torch.randint(-(2**62), 2**62, (x.shape[1],), generator=seed).to(x.device) * 2 + 1
    parts = torch.split(x, max(1, _CHUNK // x.shape[1]))
    return torch.cat([((part.double() + 0.0).view(torch.int64) * odd).sum(1) for part in parts])


SAME = "fake and real are the same samples; give reals that the generator was not compared with."


def warned(fake: Num[Tensor, "n d"], real: Num[Tensor, "m d"]) -> tuple[str, ...]:
    """What is odd about the two sets themselves: the same samples, or ranges that cannot be meant."""
    found: tuple[str, ...] = (SAME,) if same_samples(fake, real) else ()
    # Bytes against unit range: 0 … 255 measured against −1 … 1 is a distance, but of two encodings.
    most_fake, most_real = (float(max(x.max(), -x.min())) for x in (fake, real))
    large, small = max(most_fake, most_real), min(most_fake, most_real)
    if small > 0 and large / small > 50:
        found += (
            f"fake reaches {most_fake:.3g} and real {most_real:.3g} in size; check that both "
            "have the same range and went through one feature map.",
        )
    return found
