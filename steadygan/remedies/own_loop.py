"""What a loop of ours lends to treatments beside networks and optimizers: its game and its update rule."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from steadygan.errors import ActionError
from steadygan.game import Game
from steadygan.remedies.knob import Knob
from steadygan.remedies.knobs.objective import OwnObjective
from steadygan.remedies.knobs.own_augmentation import OwnAugmentation
from steadygan.remedies.knobs.own_penalties import OwnPenalties
from steadygan.remedies.knobs.own_rule import HasRule, OwnRule
from steadygan.remedies.knobs.rate import Rate
from steadygan.types import Player

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


class OwnLoop:
    """The knobs that only a loop of ours has: objective, penalties, update rule, D's steps, augmentation.

    Nothing is changed until an action is applied. Give it to a ``TreatedGame``; on a foreign loop there is none, and
    its actions are refused.

    Args:
        game: the trainer's.
        host: what holds the update rule; it is exchanged there.
        event: the shape of a sample.
    """

    def __init__(self, game: Game, host: HasRule, event: tuple[int, ...]) -> None:
        self.game = game
        self.objective = OwnObjective(game)
        self.penalties = OwnPenalties(game)
        self.rule = OwnRule(host)
        self.augmentation = OwnAugmentation(game, event)
        self._host = host
        self.knobs: dict[str, Knob] = {
            "own_objective": self.objective,
            "own_penalties": self.penalties,
            "own_rule": self.rule,
            "own_augmentation": self.augmentation,
        }

    def follow(self, rates: Mapping[Player, Rate]) -> None:
        """Let rules that look ahead do so at the rates at which they will step: hooks do not reach there."""
        for player, optimizer in self._host.rule.players.items():
            optimizer.ahead = rates[player].factor


def own_loop_of(game: "TreatedGame", what: str) -> OwnLoop:
    """The knobs of a loop of ours.

    Args:
        game: any treated game.
        what: that needs them, for the message.

    Raises:
        ActionError: on a foreign loop.
    """
    if game.own is None:
        raise ActionError(
            f"{what} needs a loop of steadygan's own, got a foreign one, whose loss and steps are out of reach; "
            "train a recipe, or change the code."
        )
    return game.own
