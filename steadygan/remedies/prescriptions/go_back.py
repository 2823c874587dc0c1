"""Go back and change nothing but the random numbers to come."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class GoBack(Remedy):
    """For what happened once: a spoilt weight, a bad batch, an overflow. The rollback is the treatment.

    Tried once for a finding: a game that fails by itself fails again, and later rungs change something.

    Source: Chowdhery et al. (2022), arXiv 2204.02311, section 5.1.
    """

    name: ClassVar[str] = "roll back"
    treats: ClassVar[tuple[str, ...]] = (
        "non_finite",
        "weights_jumped",
        "bad_weights",
        "overflow",
        "penalty_overflow",
        "loss_overflow",
        "gradient_overflow",
        "constant_output",
    )

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """Nothing beside the rollback."""
        return ()
