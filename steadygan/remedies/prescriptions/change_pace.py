"""Give D more or fewer steps for each of G's."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import SetDiscriminatorSteps
from steadygan.remedies.knobs.own_rule import MOST_D_STEPS
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class ChangePace(Remedy):
    """Four times the steps for a D that is too weak, up to 8; one step for a D that overpowers.

    Only where the loop is ours and the rule alternates. More steps are not for a D that overpowers or overfits: it
    would see its data more often still.

    Args:
        times: of D's steps; below 1: a single one.

    Source: Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875, algorithm 1; Goodfellow et al. (2014), arXiv 1406.2661,
    algorithm 1.
    """

    name: ClassVar[str] = "discriminator steps"
    treats: ClassVar[tuple[str, ...]] = (
        "discriminator_too_slow",
        "discriminator_underpowered",
        "discriminator_overpowering",
        "vanishing_gradient",
    )

    times: float = 4.0

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """Another number of steps, within the limit."""
        own = patient.game.own
        now = None if own is None else own.rule.d_steps
        if now is None:
            return ()
        num = max(now, min(MOST_D_STEPS, round(now * self.times))) if self.times > 1 else 1
        return () if num == now else (SetDiscriminatorSteps(num),)
