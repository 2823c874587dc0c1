"""The hinge objective of SAGAN and BigGAN."""

from dataclasses import dataclass
from typing import ClassVar

from torch.nn.functional import relu

from steadygan.objectives.objective import Objective
from steadygan.types import Logits


@dataclass(frozen=True)
class Hinge(Objective):
    """D wants reals above +1 and fakes below −1 and then stops caring; G raises D's score of its
    samples.

    L_D = max(0, 1 − D(x)) + max(0, 1 + D(G(z)))
    L_G = −D(G(z))

    Use it with spectral norm for class-conditional images. D gets no gradient from a sample beyond
    its margin, which limits how far it runs ahead; G's gradient never vanishes. Cost: a few
    elementwise operations on b numbers.

    Shape: real, fake (b,) -> (b,).
    Dtype: that of the logits.

    Source: Lim, Ye (2017), arXiv 1705.02894; Miyato et al. (2018), arXiv 1802.05957, eqs. 16 and
    17; no difference.

    >>> import torch
    >>> Hinge().d_loss(torch.tensor([0.0, 2.0]), torch.tensor([0.0, -2.0]))
    tensor([2., 0.])
    """

    indifference: ClassVar[float | None] = 2.0
    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "Between 0 and 2 while both play, 2 being a D that guesses; exactly 0 on a step is not "
            "by itself a failure, it only says that every sample lies beyond its margin and D "
            "rests."
        ),
        "loss_g": (
            "Minus D's mean score of fakes: healthy around -1 to 1 with slow drift; values far "
            "above 1 that keep growing say that D's weights grow, not that samples get worse."
        ),
    }

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """max(0, 1 − real) + max(0, 1 + fake)."""
        return relu(1 - real) + relu(1 + fake)

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """−fake."""
        return -fake
