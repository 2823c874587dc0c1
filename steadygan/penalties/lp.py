"""LP: the critic's slope is at most one between data and fakes."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu

from steadygan.penalties.interpolates import interpolates, shares
from steadygan.penalties.placed import PlacedPenalty
from steadygan.types import Logits, Samples


@dataclass(frozen=True)
class LP(PlacedPenalty):
    """Forbids slopes above one, and only those, at random points between each real and a fake.

    P = max(0, ‖∇ₓ D(x̂)‖ − 1)²  at x̂ = x + ε (x̃ − x), ε ~ U[0, 1) one per sample;  ‖·‖ times
    sqrt(n) when ``relative``

    Use it with ``Wasserstein``: a 1-Lipschitz critic is all that the distance asks for, and a
    critic free to be flat is less sensitive to ``weight`` than under ``WGANGP``. A critic that is
    already flat gets nothing from it; where the game orbits, use ``R1``. Cost: a forward pass of D
    on b points, a backward pass, and one through it.

    Args:
        weight: λ >= 0 [loss units]; the paper tries 1 to 100.
        every: apply on steps divisible by this, >= 1.
        relative: measure slopes as sqrt(n) ‖∇ₓD‖: then slope one is per unit of root mean square,
            not of length.

    Shape: real.x, fake.x (b, *event) -> (b,).
    Dtype: that of the samples; float32 under autocast.

    Raises:
        ConfigError: if weight < 0 or every < 1.
        ContractError: if D's logits do not depend on its input.

    Source: Petzka, Fischer, Lukovnikov (2018), arXiv 1709.08894 (WGAN-LP), at the interpolates of
    Gulrajani et al. (2017), one of the samplings they try.

    >>> import torch
    >>> from steadygan.types import Judged
    >>> judged = Judged(torch.zeros(1, 2), torch.zeros(1))
    >>> [LP()(lambda x, s=s: s * x[:, 0], judged, judged).item() for s in (0.5, 3)]
    [0.0, 4.0]
    """

    weight: float = 10.0

    def noise(self, real: Samples) -> Tensor:
        """One ε ~ U[0, 1) per sample."""
        return shares(real)

    def points(self, real: Samples, fake: Samples, noise: Tensor) -> Samples:
        """One point between each real and fake."""
        return interpolates(real, fake, noise)

    def toll(self, slope: Logits) -> Logits:
        """max(0, slope − 1)²."""
        return relu(slope - 1).square()
