"""Begin again under settings that are known to converge."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.prescriptions.calm import Calm
from steadygan.remedies.prescriptions.damp import Damp
from steadygan.remedies.prescriptions.slow_down import SlowDown
from steadygan.remedies.remedy import Patient, Remedy

_DAMP = Damp()


@dataclass(frozen=True)
class Regime(Remedy):
    """R1 on D, learning rates a quarter and no momentum; then more of it.

    One change at a time finds what is wrong; where that has not helped, the settings under which convergence is proven
    come as one: a penalty is of little use at rates that overshoot, and low rates without a penalty only orbit more
    slowly. Not where D is flat already.

    Args:
        damp: how the penalty is added.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406: R1 and low rates; theorem 4.1 holds
    for rates that are small enough.
    """

    name: ClassVar[str] = "the regime that converges"
    treats: ClassVar[tuple[str, ...]] = (
        "mode_collapse",
        "divergence",
        "oscillation",
        "exploding_gradient",
        "non_finite",
        "vanishing_gradient",
        "discriminator_overpowering",
        "discriminator_underpowered",
        "stagnation",
        "discriminator_overfitting",
        "memorization",
        "too_few_data",
    )

    damp: Damp = _DAMP

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """What of it is not in effect yet."""
        if "penalty_too_heavy" in patient.causes[:1]:
            return ()
        return (
            *self.damp.strengthened(patient),
            *SlowDown(("g", "d")).propose(patient),
            *Calm().propose(patient),
        )
