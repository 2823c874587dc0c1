"""The contract of an update rule: how the players' gradients become a step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer

from steadygan.blame import blame
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.game import Game
from steadygan.types import Batch, Gradient, Player, StateDict, StepInfo
from steadygan.updates.player import PlayerOptimizer

Draw = Callable[[], Batch]


class UpdateRule(ABC):
    """Moves both players by one step; the only kind of part that steps optimizers.

    Args:
        g, d: the players' optimizers, plain ``torch.optim`` ones or wrapped with schedule and clipping.
    """

    def __init__(self, g: Optimizer | PlayerOptimizer, d: Optimizer | PlayerOptimizer) -> None:
        self.players: dict[Player, PlayerOptimizer] = {
            "g": g if isinstance(g, PlayerOptimizer) else PlayerOptimizer(g),
            "d": d if isinstance(d, PlayerOptimizer) else PlayerOptimizer(d),
        }
        if self.players["g"].optimizer is self.players["d"].optimizer:
            raise ConfigError("g and d must have an optimizer each, got one for both; make two.")

    @abstractmethod
    def step(self, game: Game, draw: Draw, step: int) -> StepInfo:
        """One step of the game.

        Args:
            game: gives gradients at the current parameters.
            draw: gives the next batch; the rule decides whether two gradients share one.
            step: the number of this step, from 1.

        Raises:
            NonFiniteError: before any optimizer moves on a gradient that is not finite.
        """

    def settle(self) -> None:
        """Wait for the device and raise what it found since the last call; call before trusting the weights."""
        bad = [step for p in self.players.values() if (step := p.settle()) is not None]
        if bad:
            raise self._blame(min(bad))

    def state_dict(self) -> StateDict:
        """Everything a bit-exact continuation needs."""
        return {player: optimizer.state_dict() for player, optimizer in self.players.items()}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        for player, optimizer in self.players.items():
            optimizer.load_state_dict(state[player])

    def move(
        self, game: Game, batch: Batch, step: int, gradients: Mapping[Player, Gradient]
    ) -> None:
        """Apply these players' gradients, all or none; impose the constraints after D has moved.

        Raises:
            NonFiniteError: where one of the gradients is not finite; then no weight has changed.
        """
        self._last = (game, batch, gradients)
        finite = torch.stack([gradient.finite for gradient in gradients.values()]).all()
        for player, gradient in gradients.items():
            moved = self.players[player].apply(
                game.parameters(player),
                gradient._replace(finite=finite),
                step,
                scale=game.loss_scale.get(player),
            )
            if not moved:
                raise self._blame(step)
        if "d" in gradients:
            game.constrain()

    def signals(self, gradients: Mapping[Player, Gradient]) -> dict[str, Tensor | float]:
        """The record of a step: every term, each player's gradient norm before clipping, its learning rate."""
        found: dict[str, Tensor | float] = {}
        for player, gradient in gradients.items():
            found.update(gradient.terms)
            found[f"grad_norm_{player}"] = gradient.norm.detach()
        for player, optimizer in self.players.items():
            found[f"lr_{player}"] = optimizer.rate
        for player, scale in self._last[0].loss_scale.items():
            found[f"loss_scale_{player}"] = scale.scale
        return found

    def _blame(self, step: int) -> NonFiniteError:
        game, batch, gradients = self._last
        by_guilt = sorted(gradients, key=lambda player: bool(gradients[player].finite))
        return blame(game, by_guilt[0], batch, gradients[by_guilt[0]], step)
