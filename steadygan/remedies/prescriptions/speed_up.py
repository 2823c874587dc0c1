"""Let the player that lags behind catch up."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ScaleLearningRate, SkipSteps
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player

_LEAST_SHARE = 1 / 8


@dataclass(frozen=True)
class SpeedUp(Remedy):
    """Twice the learning rate for one player, which is the most there is; after that, fewer steps for the other.

    A rate that is a thousand times too small cannot be treated within the limits: that needs the user.

    Args:
        player: who lags.

    Source: Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875, algorithm 1 (several steps of D for one of G).
    """

    name: ClassVar[str] = "give the weaker player more"
    treats: ClassVar[tuple[str, ...]] = (
        "discriminator_too_slow",
        "generator_too_slow",
        "discriminator_underpowered",
        "stagnation",
    )

    player: Player

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """The rate first, then the ratio of steps."""
        knob = patient.game.rates[self.player]
        if knob.rate() and (factor := knob.scaled(2.0)) > knob.factor:
            return (ScaleLearningRate(self.player, factor),)
        other: Player = "d" if self.player == "g" else "g"
        share = max(_LEAST_SHARE, patient.game.shares[other].share / 4)
        return (SkipSteps(other, share),) if share < patient.game.shares[other].share else ()
