"""The Wasserstein objective: the critic's score difference estimates a distance."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.objectives.objective import Objective
from steadygan.types import Logits


@dataclass(frozen=True)
class Wasserstein(Objective):
    """D is a critic that pulls its mean score on reals and on fakes apart; G closes the gap.

    L_D = D(G(z)) − D(x)
    L_G = −D(G(z))

    −mean L_D estimates the Wasserstein-1 distance of fakes and data, up to D's Lipschitz constant,
    provided that D is kept Lipschitz: use it only with a gradient penalty (``WGANGP``, ``LP``),
    clipping or spectral norm, and with several steps of D for each of G. Without one of these the
    loss has no lower bound and D's weights run away.
    Cost: one subtraction on b numbers.

    Shape: real, fake (b,) -> (b,).
    Dtype: that of the logits.

    Source: Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875, eqs. 2 and 3; no difference.

    >>> import torch
    >>> Wasserstein().d_loss(torch.tensor([3.0]), torch.tensor([1.0]))
    tensor([-2.])
    """

    indifference: ClassVar[float | None] = None
    bounded_logits: ClassVar[bool] = False
    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "Minus the estimated distance: healthy when it drops below 0 early and then climbs "
            "slowly towards 0; its scale is the critic's, so a size alone means nothing."
        ),
        "loss_g": (
            "Minus the critic's mean score of fakes, whose zero point drifts freely: read neither "
            "its level nor its trend, watch loss_d instead."
        ),
    }

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """fake − real."""
        return fake - real

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """−fake."""
        return -fake
