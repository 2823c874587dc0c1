"""Let the players minimise something that teaches more."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScalePenalty, SwitchObjective
from steadygan.remedies.remedy import Patient, Remedy

_WEIGHT = 0.3


@dataclass(frozen=True)
class ChangeObjective(Remedy):
    """Another objective; for the relativistic one with R1, without which it does not converge.

    Only where the loop is ours, and only from objectives that are known to have the trouble. Not from a Wasserstein
    critic that a penalty or a constraint bounds: its logits are a distance by design.

    Args:
        to: the objective to switch to.
        away_from: those it may be switched from.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, section 3; Huang et al. (2024), arXiv 2501.05441,
    sections 2 and 3.
    """

    name: ClassVar[str] = "another objective"
    treats: ClassVar[tuple[str, ...]] = (
        "saturating_loss",
        "vanishing_gradient",
        "discriminator_overpowering",
        "race_of_magnitudes",
        "exploding_gradient",
        "mode_collapse",
        "divergence",
    )

    to: str
    away_from: tuple[str, ...]

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """The objective, and R1 with it where there is no penalty yet."""
        own = patient.game.own
        if own is None or own.objective.name not in self.away_from:
            return ()
        is_bounded = bool(own.penalties.in_effect) or bool(own.game.constraints)
        if own.objective.name == "wasserstein" and is_bounded:
            return ()
        switch = SwitchObjective(self.to)
        if self.to.startswith("relativistic") and not own.penalties.in_effect:
            return (switch, ScalePenalty("r1", own.penalties.references.get("r1", _WEIGHT)))
        return (switch,)
