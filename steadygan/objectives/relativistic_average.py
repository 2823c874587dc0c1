"""The relativistic average objective (RaGAN)."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from torch.nn.functional import softplus

from steadygan.objectives.objective import Objective, needed_real
from steadygan.types import Logits


@dataclass(frozen=True)
class RelativisticAverage(Objective):
    """D judges each sample against the average of the other side; G wants both judgements reversed.

    L_D = softplus(−(D(x) − mean D(G(z)))) + softplus(D(G(z)) − mean D(x))
    L_G = softplus(−(D(G(z)) − mean D(x))) + softplus(D(x) − mean D(G(z)))

    The means run over the batch they are given. With several processes each uses its own share of
    the batch, so the loss of 8 × 32 samples is not the loss of 1 × 256; and because the mean stands
    inside the softplus, small batches are biased (above the large-batch loss, by convexity). Use
    ``Relativistic`` unless a published recipe asks for this one. Cost: as ``NonSaturating``, plus a
    forward pass of D on reals in G's step.

    Shape: real, fake (b,) -> (b,); samples of one batch influence each other's loss through the
    means.
    Dtype: that of the logits.

    Raises:
        ContractError: if ``g_loss`` is not given D's logits on reals.

    Source: Jolicoeur-Martineau (2018), arXiv 1807.00734 (RaSGAN), with log σ written as
    softplus so that it stays finite; no other difference.

    >>> import torch
    >>> RelativisticAverage().d_loss(torch.full((2,), 9.0), torch.full((2,), 9.0))
    tensor([1.3863, 1.3863])
    """

    needs_real_for_g: ClassVar[bool] = True
    indifference: ClassVar[float | None] = 2 * log(2)
    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "Healthy below 2 log 2 = 1.386, the value of a D that cannot tell the sides apart; the "
            "common level of the logits drifts freely and means nothing."
        ),
        "loss_g": (
            "2 log 2 = 1.386 when D cannot tell the sides apart, above it otherwise; a rise is "
            "healthy while samples improve."
        ),
    }

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """softplus(mean fake − real) + softplus(fake − mean real)."""
        return softplus(fake.mean() - real) + softplus(fake - real.mean())

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """softplus(mean real − fake) + softplus(real − mean fake)."""
        real = needed_real(self, real)
        return softplus(real.mean() - fake) + softplus(real - fake.mean())
