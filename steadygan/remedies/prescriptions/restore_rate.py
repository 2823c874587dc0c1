"""Take a learning rate back to where it was when the run was well."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScaleLearningRate
from steadygan.remedies.rates import restoring
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class RestoreRate(Remedy):
    """A player's rate is three times what it was when the run was well, or more: use the earlier one.

    The loop's schedule goes on; its rate is scaled around each step. Needs a time at which the run was well.
    """

    name: ClassVar[str] = "restore the learning rate"
    stays: ClassVar[bool] = True
    treats: ClassVar[tuple[str, ...]] = ("learning_rate_raised",)

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """A factor for each player whose rate was raised."""
        factors = restoring(patient.game, patient.rates)
        return tuple(ScaleLearningRate(player, factor) for player, factor in factors.items())
