"""Take weight off a penalty that holds D flat."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScalePenalty
from steadygan.remedies.knobs.own_penalties import SPAN
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class Lighten(Remedy):
    """Divide the weight of every penalty in the recipe, within a thirtieth.

    For a D that moves and yet is flat. Only where the loop is ours: elsewhere the penalty is part of a loss that is out
    of reach. Not where D is flat because it does not move.

    Args:
        by: the divisor.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, section 4 (too much of it slows D down); the scale by
    image size: Karras et al. (2020), arXiv 2006.06676, appendix C.
    """

    name: ClassVar[str] = "lighter penalty"
    treats: ClassVar[tuple[str, ...]] = ("penalty_too_heavy", "discriminator_underpowered")

    by: float = 6.0

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """A lower weight for each that is not at the limit; the likeliest cause must be its weight."""
        own = patient.game.own
        if own is None or "penalty_too_heavy" not in patient.causes[:1]:
            return ()
        actions: list[Action] = []
        for kind, penalty in own.penalties.in_effect.items():
            weight = max(penalty.weight / self.by, own.penalties.references[kind] / SPAN)
            if weight < penalty.weight * (1 - 1e-9):
                actions.append(ScalePenalty(kind, weight))
        return tuple(actions)
