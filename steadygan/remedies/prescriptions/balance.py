"""Bring the learning rates of two players together."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScaleLearningRate
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player

_AHEAD = 4.0
_FAR = 2.5


@dataclass(frozen=True)
class Balance(Remedy):
    """One player's rate is many times the other's: lower the one and lift the other until they fit.

    G at most as fast as D, and D at most four times as fast as G; where they are 2.5 times beyond that. The slower
    player is lifted first, to twice its own rate at most; the rest is taken from the faster one, down to a sixteenth.
    Moving one of the two alone does not get there where they lie tens of times apart. Not for optimizers of two
    kinds: their rates cannot be compared.

    Source: Heusel et al. (2017), arXiv 1706.08500, section 3 and table A2: the rates that were found to work.
    """

    name: ClassVar[str] = "balance the learning rates"
    treats: ClassVar[tuple[str, ...]] = (
        "generator_too_fast",
        "discriminator_too_fast",
        "generator_too_slow",
        "discriminator_too_slow",
    )

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """Factors for one or both; () where the rates fit or cannot be compared."""
        game = patient.game
        optimizers = game.owners.by_player
        if type(optimizers["g"]) is not type(optimizers["d"]):
            return ()
        rates = {player: knob.factor * (knob.rate() or 0.0) for player, knob in game.rates.items()}
        if not (rates["g"] and rates["d"]):
            return ()
        slow: Player = "d" if rates["g"] > rates["d"] else "g"
        fast: Player = "g" if slow == "d" else "d"
        apart = rates[fast] / rates[slow] / (1.0 if fast == "g" else _AHEAD)
        if apart < _FAR:
            return ()
        actions: list[Action] = []
        knob = game.rates[slow]
        lifted = knob.scaled(min(apart, 2.0))
        if lifted > knob.factor:
            actions.append(ScaleLearningRate(slow, lifted))
            apart *= knob.factor / lifted
        knob = game.rates[fast]
        lowered = knob.scaled(1.0 / apart)
        if lowered < knob.factor:
            actions.append(ScaleLearningRate(fast, lowered))
        return tuple(actions)
