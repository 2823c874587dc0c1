"""The relativistic pairing objective (RpGAN)."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from torch.nn.functional import softplus

from steadygan.objectives.objective import Objective, needed_real
from steadygan.types import Logits


@dataclass(frozen=True)
class Relativistic(Objective):
    """D judges each real against one fake, by the difference of their logits; G wants the order
    reversed.

    L_D = softplus(−(D(x) − D(G(z))))
    L_G = softplus(−(D(G(z)) − D(x)))

    Real i is paired with fake i; both are independent draws, so the pairing is a random one. Since
    a fake is only ever compared with a real, D cannot put all fakes on one side of a fixed
    boundary, which removes the bad basins behind mode dropping. Use it with R1 and R2 together:
    they make it converge. Do not use it where reals and fakes come in batches of different size.
    Cost: as ``NonSaturating``, plus a forward pass of D on reals in G's step.

    Shape: real, fake (b,) -> (b,).
    Dtype: that of the logits.

    Raises:
        ContractError: if ``g_loss`` is not given D's logits on reals.

    Source: Jolicoeur-Martineau (2018), arXiv 1807.00734 (RSGAN; RpSGAN in later papers); Huang et
    al. (2024), arXiv 2501.05441, eq. 2 with f(t) = −log(1 + e^(−t)), D's value turned into a loss
    to minimise; no other difference.

    >>> import torch
    >>> Relativistic().d_loss(torch.tensor([7.0, 57.0]), torch.tensor([7.0, 7.0]))
    tensor([6.9315e-01, 1.9287e-22])
    """

    needs_real_for_g: ClassVar[bool] = True
    indifference: ClassVar[float | None] = log(2)
    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "Healthy below log 2 = 0.693, the value of a D that cannot order a pair; the common "
            "level of the logits drifts freely and means nothing."
        ),
        "loss_g": (
            "Mirrors loss_d: log 2 = 0.693 when D cannot order a pair, above it otherwise; a rise "
            "is healthy while samples improve."
        ),
    }

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """softplus(fake − real)."""
        return softplus(fake - real)

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """softplus(real − fake)."""
        return softplus(needed_real(self, real) - fake)
