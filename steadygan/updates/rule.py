"""The contract of an update rule: how the players' gradients become a step.

Every rule says its mathematics once, in ``map``: a pure, differentiable function of a field, a point and the rule's
memory. Analysis differentiates ``map``; ``step`` trains networks and does the same with any optimizer.

    rule = Optimistic.on_paper(weight=1.0)             # no networks: only ``map`` will be used
    field = LossField(losses)                          # or GameField(game, batch): flat vectors in, gradients out
    state = rule.begin(field, point)                   # () for rules without memory
    for step in 1, 2, …:
        point, state = rule.map(field, point, state, Rates(0.1, 0.1), step)

The Jacobian of (point, state) ↦ map(point, state) is the step's linearisation, by ``torch.autograd``: a ``Point`` that
carries gradients gives a result that does. A rule whose steps differ repeats every ``period`` steps: analysis takes the
composition of the steps 1 … ``period``, and the root of its spectral radius for the growth of one step.
With plain SGD (no momentum, decay or clipping) and a fixed batch, ``step`` equals ``map`` to rounding; a conformance
test holds every rule to it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from steadygan.blame import blame
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.game import Game
from steadygan.types import Batch, Gradient, Player, StateDict, StepInfo
from steadygan.updates.field import Field
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, Rates, State

Draw = Callable[[], Batch]


class UpdateRule(ABC):
    """Moves both players by one step; the only kind of part that steps optimizers.

    Args:
        g, d: the players' optimizers, plain ``torch.optim`` ones or wrapped with schedule and clipping.

    Attributes:
        gradients_per_step: what a step costs, where the gradient of one player's loss counts 1, a product Jᵀu with the
            field's Jacobian 2, the first product J w at a point 6 and each further one 2 (half of it for one block): as
            measured. For rules that iterate to a tolerance, the most it can be.
        period: after so many steps ``map`` repeats.
        memory: what the rule remembers beside the optimizers' states; None before the first step.
    """

    gradients_per_step: float
    period: int = 1

    def __init__(self, g: Optimizer | PlayerOptimizer, d: Optimizer | PlayerOptimizer) -> None:
        self.players: dict[Player, PlayerOptimizer] = {
            "g": g if isinstance(g, PlayerOptimizer) else PlayerOptimizer(g),
            "d": d if isinstance(d, PlayerOptimizer) else PlayerOptimizer(d),
        }
        if self.players["g"].optimizer is self.players["d"].optimizer:
            raise ConfigError("g and d must have an optimizer each, got one for both; make two.")
        self.memory: State | None = None
        self._last: tuple[Game, Batch, Mapping[Player, Gradient]] | None = None

    @classmethod
    def on_paper(cls, **options: Any) -> "UpdateRule":
        """The rule without networks, for its ``map`` alone; options as in the constructor."""
        idle = [torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0) for _ in range(2)]
        return cls(*idle, **options)

    @abstractmethod
    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """The exact step with plain gradient descent, as a pure function.

        Args:
            field: both players' gradients at any point.
            point: where the step begins.
            state: the rule's memory, from ``begin`` or the last call.
            rates: the players' learning rates.
            step: the number of this step, from 1; only rules with a ``period`` above 1 look at it.
        """

    def begin(self, field: Field, point: Point) -> State:
        """The memory before the first step from this point."""
        return ()

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

    def relieve(self, other: "UpdateRule") -> None:
        """Take the place of another rule on the same optimizers, and answer for the steps that it has made.

        What it remembers is not taken over: to another rule it means something else.
        """
        self._last = other._last

    def state_dict(self) -> StateDict:
        """Everything a bit-exact continuation needs."""
        state: StateDict = {
            player: optimizer.state_dict() for player, optimizer in self.players.items()
        }
        if self.memory is not None:
            state["memory"] = list(self.memory)
        return state

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        for player, optimizer in self.players.items():
            optimizer.load_state_dict(state[player])
        device = self.players["g"].optimizer.param_groups[0]["params"][0].device
        memory = state.get("memory")
        self.memory = None if memory is None else tuple(part.to(device) for part in memory)

    def move(
        self, game: Game, batch: Batch, step: int, gradients: Mapping[Player, Gradient]
    ) -> bool:
        """Apply these players' gradients, all or none; impose the constraints after D has moved.

        False where nothing moved because a loss scale was too high and has been cut.

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
        return not game.loss_scale or bool(finite)

    def signals(self, gradients: Mapping[Player, Gradient]) -> dict[str, Tensor | float]:
        """The record of a step: every term, each player's gradient norm before clipping, its learning rate."""
        found: dict[str, Tensor | float] = {}
        for player, gradient in gradients.items():
            found.update(gradient.terms)
            found[f"grad_norm_{player}"] = gradient.norm.detach()
        for player, optimizer in self.players.items():
            found[f"lr_{player}"] = optimizer.rate
        if self._last is not None:
            for player, scale in self._last[0].loss_scale.items():
                found[f"loss_scale_{player}"] = scale.scale
        return found

    def _blame(self, step: int) -> NonFiniteError:
        assert self._last is not None, "only a step can go wrong"
        game, batch, gradients = self._last
        by_guilt = sorted(gradients, key=lambda player: bool(gradients[player].finite))
        return blame(game, by_guilt[0], batch, gradients[by_guilt[0]], step)
