"""Keep the game where it is until somebody has mended what is wrong with its data."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScaleLearningRate, SkipSteps
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player

_PLAYERS: tuple[Player, ...] = ("g", "d")
_SHARE = 1 / 16


@dataclass(frozen=True)
class Hold(Remedy):
    """Both players all but stand still: one step in sixteen, at the lowest rates.

    A loader that gives one batch again and again has nothing to teach; whatever is learnt from it is forgetting. The
    autopilot takes it back when batches differ again.

    Source: ours; a run that is held keeps what it had, as an early stop does, and can go on.
    """

    name: ClassVar[str] = "hold"
    treats: ClassVar[tuple[str, ...]] = ("stuck_loader",)

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """The lowest rates and shares."""
        actions: list[Action] = []
        for player in _PLAYERS:
            rate, share = patient.game.rates[player], patient.game.shares[player]
            if rate.rate() and (factor := rate.scaled(0.0)) < rate.factor:
                actions.append(ScaleLearningRate(player, factor))
            if share.share > _SHARE:
                actions.append(SkipSteps(player, _SHARE))
        return tuple(actions)
