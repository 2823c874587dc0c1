"""Points between reals and fakes, where Wasserstein critics are held to slope one."""

import torch

from steadygan.types import Samples


def interpolates(real: Samples, fake: Samples) -> Samples:
    """One random point on the segment from each real to the fake of the same index.

    x̂ = x + ε (x̃ − x), with one ε ~ U[0, 1) per sample from torch's global generator: one per
    coordinate would fill a box instead, and one per batch would correlate the samples.

    Shape: real, fake (b, *event) -> (b, *event).
    """
    shape = (len(real), *[1] * (real.ndim - 1))
    epsilon = torch.rand(shape, device=real.device, dtype=real.dtype)
    return real + epsilon * (fake - real)
