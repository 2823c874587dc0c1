"""Points between reals and fakes, where Wasserstein critics are held to slope one."""

import torch
from torch import Tensor

from steadygan.types import Samples


def shares(real: Samples) -> Tensor:
    """One ε ~ U[0, 1) per sample from torch's global generator, to be broadcast over its coordinates.

    One per coordinate would fill a box instead of segments, and one per batch would correlate the samples.

    Shape: real (b, *event) -> (b, 1, …).
    """
    shape = (len(real), *[1] * (real.ndim - 1))
    return torch.rand(shape, device=real.device, dtype=real.dtype)


def interpolates(real: Samples, fake: Samples, share: Tensor | None = None) -> Samples:
    """A point on the segment from each real to the fake of the same index.

    x̂ = x + ε (x̃ − x), with ε = ``share``, or drawn by ``shares``

    Shape: real, fake (b, *event), share (b, 1, …) -> (b, *event).
    """
    return real + (shares(real) if share is None else share) * (fake - real)
