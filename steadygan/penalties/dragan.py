"""DRAGAN: D has slope one around the data."""

from dataclasses import dataclass

import torch
from torch import Tensor

from steadygan.errors import ConfigError
from steadygan.penalties.placed import PlacedPenalty
from steadygan.types import Logits, Samples


@dataclass(frozen=True)
class DRAGAN(PlacedPenalty):
    """Pulls D's slope to one at noisy reals, which keeps D from cutting sharp ridges around single
    data points.

    P = (‖∇ₓ D(x + δ)‖ − 1)²,  δ = spread · std(x) · u,  u ~ N(0, 1) per coordinate;  ‖·‖ times
    sqrt(n) when ``relative``

    std(x) is one number, over all coordinates of the batch (divisor b·n, so that repeating a batch
    changes nothing).

    Use it with ``NonSaturating`` where sharp slopes near the data go with mode collapse. It looks
    only around reals, and like ``WGANGP`` it never lets D become flat; ``R1`` does at the same
    cost. Not for data whose coordinates have very different scales: one spread serves them all.
    Cost: a forward pass of D on b points, a backward pass, and one through it.

    Args:
        weight: λ >= 0 [loss units]; the paper's is 10.
        every: apply on steps divisible by this, >= 1.
        relative: measure slopes as sqrt(n) ‖∇ₓD‖: then slope one is per unit of root mean square,
            not of length.
        spread: size of the noise, >= 0 [standard deviations of the batch].

    Shape: real.x, fake.x (b, *event) -> (b,); samples of one batch influence each other only
    through std.
    Dtype: that of the samples; float32 under autocast.

    Raises:
        ConfigError: if weight < 0, every < 1 or spread < 0.
        ContractError: if D's logits do not depend on its input.

    Source: Kodali et al. (2017), arXiv 1705.07215, algorithm 1. The paper fixes the
    noise's variance; the scale by std is from the authors' code, whose uniform noise on [0, 1] also
    shifts the data: ours is centred.

    >>> import torch
    >>> from steadygan.types import Judged
    >>> judged = Judged(torch.zeros(2, 2), torch.zeros(2))
    >>> DRAGAN()(lambda x: 3 * x[:, 0], judged, judged).tolist()
    [4.0, 4.0]
    """

    weight: float = 10.0
    spread: float = 0.5

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        super().__post_init__()
        if not 0 <= self.spread < float("inf"):
            raise ConfigError(
                f"DRAGAN.spread must be >= 0 and finite, got {self.spread}; 0.5 is the usual one."
            )

    def noise(self, real: Samples) -> Tensor:
        """u ~ N(0, 1) per coordinate."""
        return torch.randn_like(real)

    def points(self, real: Samples, fake: Samples, noise: Tensor) -> Samples:
        """One noisy copy of each real."""
        x = real.detach()
        return x + self.spread * x.std(correction=0) * noise

    def toll(self, slope: Logits) -> Logits:
        """(slope − 1)²."""
        return (slope - 1).square()
