"""Make few data more."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import AugmentInputs
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class Augment(Remedy):
    """Differentiable augmentation of all that D sees, below the probability at which it leaks into samples.

    Images only: what keeps a sample a sample is known of nothing else.

    Source: Zhao et al. (2020), arXiv 2006.10738; Karras et al. (2020), arXiv 2006.06676 (leaks above 0.8).
    """

    name: ClassVar[str] = "augmentation"
    treats: ClassVar[tuple[str, ...]] = (
        "discriminator_overfitting",
        "memorization",
        "too_few_data",
    )

    probability: float = 0.6

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """On, or more of it."""
        if not patient.is_image or patient.game.augment.probability >= self.probability:
            return ()
        return (AugmentInputs(self.probability, ("crop",)),)
