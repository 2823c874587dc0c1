"""The non-saturating GAN objective, the usual default."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from torch.nn.functional import softplus

from steadygan.objectives.objective import Objective
from steadygan.types import Logits


@dataclass(frozen=True)
class NonSaturating(Objective):
    """D classifies real against fake; G maximises the probability that D takes its samples for
    real.

    L_D = softplus(−D(x)) + softplus(D(G(z)))  =  −log σ(D(x)) − log(1 − σ(D(G(z))))
    L_G = softplus(−D(G(z)))                   =  −log σ(D(G(z)))

    Use it with R1 as a first choice for images. Alone, without a penalty, it does not converge near
    the equilibrium when the data lie on a low-dimensional set. Cost: a few elementwise operations
    on b numbers.

    G's gradient in a logit is −σ(−D(G(z))): close to −1 exactly where D is sure of a fake. Written
    as ``log(σ(D) + ε)`` it would vanish there, which is why there is no ε here.

    Shape: real, fake (b,) -> (b,).
    Dtype: that of the logits.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, section 3 (the alternative loss of G); no
    difference.

    >>> import torch
    >>> fake = torch.tensor([-50.0], requires_grad=True)
    >>> NonSaturating().g_loss(fake).sum().backward()
    >>> fake.grad
    tensor([-1.])
    """

    indifference: ClassVar[float | None] = 2 * log(2)
    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "Healthy somewhat below 2 log 2 = 1.386, the value of a D that guesses, often with a "
            "slow fall; only a fall towards 0 together with samples that stop improving is a "
            "failure."
        ),
        "loss_g": (
            "A rise is healthy while samples improve: D learns too; its level compares G with this "
            "D, not with the data, so a low value is no praise."
        ),
    }

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """softplus(−real) + softplus(fake)."""
        return softplus(-real) + softplus(fake)

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """softplus(−fake)."""
        return softplus(-fake)
