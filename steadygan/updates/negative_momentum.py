"""Negative momentum: each step takes back part of the last one."""

from collections.abc import Mapping

import torch
from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.types import Batch, Gradient, Player
from steadygan.updates.alternating import Alternating
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, Rates, State, flatten, split


class NegativeMomentum(Alternating):
    """Alternating steps with heavy-ball momentum below zero.

    φ ← φ − η_d ∇_φ L_d(θ, φ) + β Δφ  (k times),   θ ← θ − η_g ∇_θ L_g(θ, φ) + β Δθ,   Δ: the player's last displacement

    Momentum above zero drives the game's rotation, below zero it damps it: with β = −1/2 alternating steps on a
    bilinear game converge while η s < 1, where without momentum they orbit. Simultaneous steps diverge there at every
    β.
    Around any optimizer without momentum of its own: Δ is what the weights really moved, whatever optimizer moved them.
    Cost: that of alternating steps and one copy of the weights kept.

    Args:
        g, d: the players' optimizers; the momentum of SGD and RMSprop and Adam's first beta must be 0.
        momentum: β in (−1, 1); the paper's is −0.5.
        d_steps, share_fakes: as in ``Alternating``.

    Raises:
        ConfigError: for options out of range, or an optimizer with momentum.

    Source: Gidel, Askari Hemmat, Pezeshki, Le Priol, Huang, Lacoste-Julien, Mitliagkas (2019), arXiv 1807.04740, eq. 6
    and theorem 6; no difference with SGD.
    """

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        momentum: float = -0.5,
        d_steps: int = 1,
        share_fakes: bool = False,
    ) -> None:
        super().__init__(g, d, d_steps=d_steps, share_fakes=share_fakes)
        if not -1 < momentum < 1:
            raise ConfigError(
                f"NegativeMomentum.momentum must be between -1 and 1, got {momentum}; -0.5 is usual."
            )
        for player, optimizer in self.players.items():
            for group in optimizer.optimizer.param_groups:
                own = group.get("momentum") or group.get("betas", (0,))[0]
                if own:
                    raise ConfigError(
                        f"NegativeMomentum needs optimizers without momentum, got {float(own)} in {player}'s; "
                        "set its momentum or first beta to 0."
                    )
        self.momentum = momentum

    def begin(self, field: Field, point: Point) -> State:
        """No displacement yet."""
        return torch.zeros_like(point.g.detach()), torch.zeros_like(point.d.detach())

    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """D k times, then G, each with its own last displacement."""
        moved_g, moved_d = state
        for _ in range(self.d_steps):
            moved_d = self.momentum * moved_d - rates.d * field(point).d
            point = Point(point.g, point.d + moved_d)
        moved_g = self.momentum * moved_g - rates.g * field(point).g
        return Point(point.g + moved_g, point.d), (moved_g, moved_d)

    def move(
        self, game: Game, batch: Batch, step: int, gradients: Mapping[Player, Gradient]
    ) -> bool:
        """The optimizers' steps, and momentum; constraints are imposed after both."""
        before = {p: flatten(ps, ps).detach() for p in gradients if (ps := game.parameters(p))}
        if not super().move(game, batch, step, gradients):
            return False
        with torch.no_grad():
            for player, gradient in gradients.items():
                parameters: list[torch.Tensor] = list(game.parameters(player))
                if self.memory is not None:
                    past = self.memory[0 if player == "g" else 1]
                    # On an accelerator a void step is found out later: momentum must not move the weights then.
                    push = torch.where(gradient.finite, self.momentum * past, 0.0)
                    torch._foreach_add_(parameters, split(push, parameters))
            if "d" in gradients:
                game.constrain()
        self._remember(game, before)
        return True

    def _remember(self, game: Game, before: Mapping[Player, torch.Tensor]) -> None:
        if self.memory is None:
            players: tuple[Player, Player] = ("g", "d")
            zeros = [torch.zeros_like(flatten(ps, ps)) for ps in map(game.parameters, players)]
            self.memory = tuple(z.detach() for z in zeros)
        moved_g, moved_d = self.memory
        for player, start in before.items():
            parameters = game.parameters(player)
            moved = flatten(parameters, parameters).detach() - start
            moved_g, moved_d = (moved, moved_d) if player == "g" else (moved_g, moved)
        self.memory = moved_g, moved_d
