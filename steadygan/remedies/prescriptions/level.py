"""Lift the learning rate of a player that stands still to the other's."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScaleLearningRate
from steadygan.remedies.rates import levelling
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class Level(Remedy):
    """A player's rate is a hundredth of the other's, or less: lift it, D's to G's and G's to a quarter of D's.

    Nobody means two time scales that are so far apart (Heusel et al. use a factor of 4), and within twice its own rate
    such a player would not arrive. Afterwards limits count from there. Not for a rate of 0: that may be meant. Not for
    optimizers of two kinds: their rates cannot be compared.

    Source: Heusel et al. (2017), arXiv 1706.08500, section 3 and table A2: the rates that were found to work.
    """

    name: ClassVar[str] = "level the learning rates"
    stays: ClassVar[bool] = True
    treats: ClassVar[tuple[str, ...]] = (
        "generator_too_slow",
        "discriminator_too_slow",
        "generator_too_fast",
        "discriminator_too_fast",
    )

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """A rate for the player that lags that far behind."""
        factors = levelling(patient.game)
        return tuple(ScaleLearningRate(player, factor) for player, factor in factors.items())
