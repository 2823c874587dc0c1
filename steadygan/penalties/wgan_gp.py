"""WGAN-GP: the critic has slope one between data and fakes."""

from dataclasses import dataclass

from torch import Tensor

from steadygan.penalties.interpolates import interpolates, shares
from steadygan.penalties.placed import PlacedPenalty
from steadygan.types import Logits, Samples


@dataclass(frozen=True)
class WGANGP(PlacedPenalty):
    """Pulls the critic's slope to exactly one at random points between each real and a fake.

    P = (‖∇ₓ D(x̂)‖ − 1)²  at x̂ = x + ε (x̃ − x), ε ~ U[0, 1) one per sample;  ‖·‖ times sqrt(n)
    when ``relative``

    Use it with ``Wasserstein`` and several steps of D for each of G. Near the optimum the demand
    for slope one keeps D pushing although there is nothing left to tell apart, so the game does not
    settle: prefer ``LP``, which only forbids steeper slopes, or ``R1``. The norm is each sample's
    own: taken over the whole batch it would depend on the batch's size. Cost: a forward pass of D
    on b points, a backward pass, and one through it.

    Args:
        weight: λ >= 0 [loss units]; the paper's is 10.
        every: apply on steps divisible by this, >= 1.
        relative: measure slopes as sqrt(n) ‖∇ₓD‖: then slope one is per unit of root mean square,
            not of length.

    Shape: real.x, fake.x (b, *event) -> (b,).
    Dtype: that of the samples; float32 under autocast.

    Raises:
        ConfigError: if weight < 0 or every < 1.
        ContractError: if D's logits do not depend on its input.

    Source: Gulrajani et al. (2017), arXiv 1704.00028, eq. 3. Where the slope is 0, whose norm has
    no derivative, we take 0.

    >>> import torch
    >>> from steadygan.types import Judged
    >>> judged = Judged(torch.zeros(2, 2), torch.zeros(2))
    >>> WGANGP()(lambda x: 3 * x[:, 0], judged, judged).tolist()
    [4.0, 4.0]
    """

    weight: float = 10.0

    def noise(self, real: Samples) -> Tensor:
        """One ε ~ U[0, 1) per sample."""
        return shares(real)

    def points(self, real: Samples, fake: Samples, noise: Tensor) -> Samples:
        """One point between each real and fake."""
        return interpolates(real, fake, noise)

    def toll(self, slope: Logits) -> Logits:
        """(slope − 1)²."""
        return (slope - 1).square()
