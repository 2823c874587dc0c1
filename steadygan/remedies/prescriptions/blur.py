"""Make the two distributions overlap where D sees them."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import AddNoise
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class Blur(Remedy):
    """Instance noise on D's inputs, which fades.

    Where samples are far from the data a saturated D has no slope to learn from; noise of the distance's
    size gives it one.

    Args:
        amount: deviation of the noise in the reals' own, at first.
        decay: D's steps until it is gone.

    Source: Sønderby et al. (2017), arXiv 1610.04490; Arjovsky, Bottou (2017), arXiv 1701.04862, section 3.
    """

    name: ClassVar[str] = "instance noise"
    treats: ClassVar[tuple[str, ...]] = (
        "vanishing_gradient",
        "saturating_loss",
        "discriminator_overpowering",
    )

    amount: float = 1.0
    decay: int = 2000

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """Noise, unless there is some."""
        return () if patient.game.noise.is_on else (AddNoise(self.amount, self.decay),)
