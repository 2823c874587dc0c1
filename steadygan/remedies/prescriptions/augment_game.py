"""Make few data more, inside the game's own losses."""

from dataclasses import dataclass

from steadygan.remedies.action import Action
from steadygan.remedies.actions import SetAugmentation
from steadygan.remedies.prescriptions.augment import Augment
from steadygan.remedies.remedy import Patient


@dataclass(frozen=True)
class AugmentGame(Augment):
    """As ``Augment``, where the loop is ours: every look of the losses at D is augmented.

    Source: as ``Augment``.
    """

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """On, or more of it."""
        own = patient.game.own
        if own is None:
            return super().propose(patient)
        if not patient.is_image or own.augmentation.probability >= self.probability:
            return ()
        return (SetAugmentation(self.probability, ("crop",)),)
