"""Damp a game of ours through the penalties in its own loss."""

from dataclasses import dataclass

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScalePenalty
from steadygan.remedies.knobs.own_penalties import SPAN, OwnPenalties
from steadygan.remedies.prescriptions.damp import Damp
from steadygan.remedies.remedy import Patient

_ZERO_CENTRED = ("r1", "r2")


@dataclass(frozen=True)
class Reweigh(Damp):
    """As ``Damp``, where the loop is ours: the recipe's own penalty grows, and R1 comes in where there is none.

    A penalty of another kind is scaled and nothing is stacked on it. Where the game's loss cannot take one (batch
    normalisation or compilation in D), it is what ``Damp`` does.

    Source: as ``Damp``; that penalties are not to be stacked: Miyato et al. (2018), arXiv 1802.05957, section 4.
    """

    def strengthened(self, patient: Patient) -> tuple[Action, ...]:
        """Weights that are not in effect yet."""
        own = patient.game.own
        if own is None or not own.penalties.suit_d:
            return super().strengthened(patient)
        knob, actions = own.penalties, []
        others = [kind for kind in knob.in_effect if kind not in _ZERO_CENTRED]
        for kind in others or (_ZERO_CENTRED if self.both else _ZERO_CENTRED[:1]):
            weight = self._weight(knob, kind)
            if weight > knob.weight(kind):
                actions.append(ScalePenalty(kind, weight))
        return tuple(actions)

    def _weight(self, knob: OwnPenalties, kind: str) -> float:
        now, first = knob.weight(kind), knob.references.get(kind, self.weight)
        return min(now * self.stronger, first * SPAN) if now else first
