"""The training loop of the ward: as people write their own, with nothing in it that stops a failure."""

from collections.abc import Mapping

import torch

from steadygan.game import Game
from steadygan.types import Batch, Gradient, Player
from steadygan.updates import Alternating


class Unguarded(Alternating):
    """Alternating steps that apply whatever gradient there is, as a plain loop does.

    Our own rules refuse a gradient that is not finite before a weight moves; a failure must be free
    to happen here. Weights, objective and penalties are those of the recipe.
    """

    def move(
        self, game: Game, batch: Batch, step: int, gradients: Mapping[Player, Gradient]
    ) -> bool:
        """Apply these players' gradients."""
        for player, gradient in gradients.items():
            self.players[player].apply(
                game.parameters(player), gradient._replace(finite=torch.tensor(True)), step
            )
        self._last = (game, batch, gradients)
        if "d" in gradients:
            game.constrain()
        return True
