"""Take momentum out of a game that turns."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import LimitMomentum
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player

_PLAYERS: tuple[Player, ...] = ("g", "d")
_USUAL = 0.5


@dataclass(frozen=True)
class Calm(Remedy):
    """No momentum for players that have more than 0.5 of it, which is what most GANs are trained with, or less.

    Source: Gidel et al. (2019), arXiv 1807.04740; Radford, Metz, Chintala (2016), arXiv 1511.06434; Brock, Donahue,
    Simonyan (2019), arXiv 1809.11096, appendix C (β₁ = 0).
    """

    name: ClassVar[str] = "no momentum"
    treats: ClassVar[tuple[str, ...]] = ("momentum", "oscillation", "divergence")

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """A bound of 0 for each of them."""
        actions: list[Action] = []
        for player in _PLAYERS:
            knob = patient.game.momenta[player]
            if knob.limit is None and (knob.momentum() or 0.0) > _USUAL:
                actions.append(LimitMomentum(player, 0.0))
        return tuple(actions)
