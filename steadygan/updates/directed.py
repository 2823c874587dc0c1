"""Rules that hand each optimizer one direction, found by looking around the point where the game stands."""

from abc import abstractmethod

from torch import nn

from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.types import Player, StepInfo
from steadygan.updates.compiled import is_compiled
from steadygan.updates.field import Field
from steadygan.updates.point import Point, Rates, State
from steadygan.updates.reach import Plain, Reach
from steadygan.updates.rule import Draw, UpdateRule
from steadygan.updates.visit import Visit


class Directed(UpdateRule):
    """A rule stated as one direction per player, computed from the field around one point.

    (θ, φ) ← (θ, φ) − (η_g, η_d) · direction

    ``map`` and ``step`` share ``direction``: in ``map`` the field is a function of flat vectors and reaching ahead is
    plain arithmetic; in ``step`` the field is the game's gradients, reaching ahead is the optimizers' own step, undone
    afterwards, and the direction is what the optimizers are finally given as gradient.
    """

    needs_curvature: bool = False
    """Whether the direction differentiates the field itself."""

    fresh_batches = False
    """Whether every evaluation of a step draws a batch of its own."""

    @abstractmethod
    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """What to descend along from ``reach.start``, and the memory of the next step."""

    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """One step of plain descent along the direction."""
        along, state = self.direction(field, Plain(point, rates), state)
        return point - rates * along, state

    def step(self, game: Game, draw: Draw, step: int) -> StepInfo:
        """Find the direction, come back, move; no weight moves if any gradient on the way is not finite."""
        if self.needs_curvature:
            self._require_curvature(game)
        for player in self.players.values():
            player.schedule_at(step)
        with Visit(game, self.players, draw, step, fresh=self.fresh_batches) as visit:
            state = self.begin(visit, visit.start) if self.memory is None else self.memory
            along, state = self.direction(visit, visit, state)
        gradients = visit.gradients(along)
        if self.move(game, visit.batch, step, gradients):
            self.memory = tuple(part.detach() for part in state)
        return StepInfo(self.signals(gradients))

    def _require_curvature(self, game: Game) -> None:
        name = type(self).__name__
        if game.loss_scale:
            raise ConfigError(
                f"{name} differentiates gradients, which float16 with loss scales cannot carry; "
                "use precision float32 or bfloat16."
            )
        if game.reduce is not None:
            raise ConfigError(
                f"{name} differentiates gradients, which are not averaged over processes; "
                "train in one process or use extragradient."
            )
        players: dict[Player, nn.Module] = {"g": game.g, "d": game.d}
        for player, network in players.items():
            if is_compiled(network):
                raise ConfigError(
                    f"{name} differentiates gradients, but {player} is compiled, and compiled graphs cannot be "
                    "differentiated twice; set compile to false."
                )
