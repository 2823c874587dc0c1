"""The original saturating GAN objective."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from torch.nn.functional import softplus

from steadygan.objectives.objective import Objective
from steadygan.types import Logits


@dataclass(frozen=True)
class Minimax(Objective):
    """Both players fight over one value: what D loses on fakes is exactly what G gains.

    L_D = softplus(−D(x)) + softplus(D(G(z)))  =  −log σ(D(x)) − log(1 − σ(D(G(z))))
    L_G = −softplus(D(G(z)))                   =  log(1 − σ(D(G(z))))

    Use it to study the zero-sum game of the theory. Do not train with it: where D is sure of a
    fake, G's gradient is −σ(D(G(z))), which vanishes exactly there; ``NonSaturating`` has the same
    equilibrium without that.
    Cost: a few elementwise operations on b numbers.

    Shape: real, fake (b,) -> (b,).
    Dtype: that of the logits.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, eq. 1, with log σ written as softplus so that
    it stays finite; no other difference.

    >>> import torch
    >>> Minimax().d_loss(torch.zeros(1), torch.zeros(1))
    tensor([1.3863])
    """

    indifference: ClassVar[float | None] = 2 * log(2)
    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "Healthy a little below 2 log 2 = 1.386, the value of a D that guesses; a steady fall "
            "towards 0 means that D has won."
        ),
        "loss_g": (
            "At most 0; near 0 for long means that D rejects every sample and G's gradient is "
            "gone, near -log 2 = -0.693 that D is undecided."
        ),
    }

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """softplus(−real) + softplus(fake)."""
        return softplus(-real) + softplus(fake)

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """−softplus(fake)."""
        return -softplus(fake)
