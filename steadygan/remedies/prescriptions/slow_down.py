"""Let a player, or both, learn more slowly."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import PLAYER_NAMES, Action
from steadygan.remedies.actions import ScaleLearningRate
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player


@dataclass(frozen=True)
class SlowDown(Remedy):
    """Divide learning rates, down to a sixteenth of the run's own.

    The generator's for collapse and where it outruns D; the discriminator's where D overpowers; both where
    the game overshoots, orbits or runs away: an orbit of discrete steps grows with the rate. Not a player
    that is too slow already.

    Args:
        players: whose.
        by: the divisor.

    Source: Heusel et al. (2017), arXiv 1706.08500; Brock, Donahue, Simonyan (2019), arXiv 1809.11096, section 4.
    """

    name: ClassVar[str] = "lower the learning rate"
    treats: ClassVar[tuple[str, ...]] = (
        "generator_too_fast",
        "discriminator_too_fast",
        "learning_rates_too_high",
        "mode_collapse",
        "divergence",
        "exploding_gradient",
        "oscillation",
        "discriminator_overpowering",
    )

    players: tuple[Player, ...]
    by: float = 4.0

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """A lower factor for each of them that is not at the limit."""
        actions: list[Action] = []
        for player in self.players:
            if f"{PLAYER_NAMES[player]}_too_slow" in patient.causes:
                continue
            knob = patient.game.rates[player]
            factor = knob.scaled(1 / self.by)
            if knob.rate() and factor < knob.factor:
                actions.append(ScaleLearningRate(player, factor))
        return tuple(actions)
