"""One step of an update rule as a map of vectors: both players' parameters and the rule's memory."""

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation
from steadygan.errors import ConfigError
from steadygan.names import snake_case
from steadygan.updates import Point, Rates, State, UpdateRule

Augmented = Float64[Tensor, "m"]
"""G's parameters, D's, then what the rule remembers."""


class StepMap:
    """(point, memory) -> (point, memory) after one step, or after one period of a rule whose steps differ.

    The rule's own statement of its step, ``UpdateRule.map``, which ``step`` is held to by a test; nothing is derived
    here.

    Args:
        game: whose field.
        rule: made with ``on_paper``, or any rule in use: its optimizers are not looked at.
        lr_g, lr_d: learning rates, >= 0 and finite.
        point: where the memory begins; None: where the game stands.

    Attributes:
        num: how many of the unknowns are the players' parameters.

    Raises:
        ConfigError: for a rate that is negative or not finite.
    """

    def __init__(
        self,
        game: FlatGame,
        rule: UpdateRule,
        *,
        lr_g: float,
        lr_d: float,
        point: Vector | None = None,
    ) -> None:
        for name, rate in (("lr_g", lr_g), ("lr_d", lr_d)):
            if not 0 <= rate < float("inf"):
                raise ConfigError(
                    f"{name} must be >= 0 and finite, got {rate}; a step goes down, not up."
                )
        self.game, self.rule, self.rates = game, rule, Rates(lr_g, lr_d)
        at = game.start if point is None else game.at(point)
        memory = rule.begin(game, game.point(at))
        self._sizes = [len(part) for part in memory]
        self.num = len(at)
        self.start: Augmented = torch.cat([at, *(part.detach() for part in memory)])

    def __call__(self, v: Augmented) -> Augmented:
        """One period of steps."""
        point = self.game.point(v[: self.num])
        state: State = torch.split(v[self.num :], self._sizes) if self._sizes else ()
        with torch.enable_grad():  # rules may differentiate the field inside
            for step in range(1, self.rule.period + 1):
                point, state = self.rule.map(self.game, point, state, self.rates, step)
        return torch.cat([point.g, point.d, *state])

    def linearised(self) -> Linearisation:
        """The displacement v ↦ map(v) − v at the start: its eigenvalues are those of the map, less one.

        What is near 1 is the rule in training, and kept apart from it is not lost to round-off.
        """
        return Linearisation(lambda v: self(v) - v, self.start, name=f"the {self.game.name} game")

    def run(self, start: Vector, steps: int) -> Float64[Tensor, "steps n"]:
        """The points of a trajectory, the start included, ending early where it leaves the finite numbers.

        Args:
            start: both players' parameters.
            steps: how many, >= 0.
        """
        at: Point = self.game.point(self.game.at(start))
        state = self.rule.begin(self.game, at)
        visited = [torch.cat([at.g, at.d])]
        for step in range(steps):
            at, state = self.rule.map(self.game, at, state, self.rates, step % self.rule.period + 1)
            at, state = at.detach(), tuple(part.detach() for part in state)
            here = torch.cat([at.g, at.d])
            if not bool(torch.isfinite(here).all()):
                break
            visited.append(here)
        return torch.stack(visited)


def rule_name(rule: UpdateRule) -> str:
    """How recipes call it."""
    return snake_case(type(rule).__name__)
