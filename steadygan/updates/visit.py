"""Networks visited away from where they stand: gradients are taken there, then everything is as it was."""

from collections.abc import Callable, Mapping
from types import TracebackType

import torch
from torch import Tensor

from steadygan.game import Game
from steadygan.types import Batch, Gradient, Player
from steadygan.updates.field import GameField, Totals
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, Rates, flatten, place, stand, unflatten

_PLAYERS: tuple[Player, Player] = ("g", "d")


class Visit:
    """A game's field and the points its optimizers would reach, for the length of one step.

    A context: on leaving it, weights and optimizer states are bitwise what they were, and the buffers (running
    statistics of batch norm, vectors of spectral norm) are those after the step's first evaluation. So a look-ahead
    leaves no trace in the networks' statistics, and a step moves them once, however many points it visits.

    Args:
        game, players, step: as in ``UpdateRule.step``; the players' rates must be those of the step already.
        draw: gives the batch, once, or for every evaluation if ``fresh``.
        fresh: whether each evaluation draws its own batch.
    """

    def __init__(
        self,
        game: Game,
        players: Mapping[Player, PlayerOptimizer],
        draw: Callable[[], Batch],
        step: int,
        *,
        fresh: bool = False,
    ) -> None:
        self.game, self.step, self.fresh = game, step, fresh
        self._players, self._draw = players, draw
        self._parameters = {p: game.parameters(p) for p in _PLAYERS}
        self.start = self._here()
        self.batch: Batch = draw()
        self._evaluations = 0
        self._is_away = False
        self._finite: Tensor | None = None
        self._terms: dict[str, Tensor] = {}
        self._absent: dict[Player, frozenset[int]] = dict.fromkeys(_PLAYERS, frozenset())
        self._at_start: Point | None = None
        self._buffers: list[Tensor] = []

    def __enter__(self) -> "Visit":
        """The visit itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put weights and buffers back."""
        self._go(self.start)
        if self._buffers:
            with torch.no_grad():
                torch._foreach_copy_(self._own_buffers(), self._buffers)

    @property
    def rates(self) -> Rates:
        """The first parameter group's rate of each player."""
        return Rates(self._players["g"].rate, self._players["d"].rate)

    def __call__(self, point: Point) -> Point:
        """Both gradients at the point; with a graph where the point has one."""
        if point.requires_grad:
            return self._differentiable(point)
        if point is self.start and self._at_start is not None and not self.fresh:
            return self._at_start
        self._go(point)
        grad_g, grad_d = self.game.gradients(self._next_batch(), self.step)
        self._note(
            {**grad_d.terms, **grad_g.terms}, grad_g.finite & grad_d.finite, (grad_g, grad_d)
        )
        here = Point(
            flatten(grad_g.grads, self._parameters["g"]),
            flatten(grad_d.grads, self._parameters["d"]),
        )
        if point is self.start:
            self._at_start = here
        return here

    def losses(self, point: Point) -> Totals:
        """Both losses, differentiable in the point."""
        field = GameField(
            self.game, self._next_batch(), self.step, keeps_buffers=self._evaluations > 0
        )
        totals = field.losses(point)
        self._note(field.terms, torch.isfinite(totals.g.detach() + totals.d.detach()), ())
        return totals

    def ahead(self, along: Point, share: float = 1.0) -> Point:
        """Where the optimizers and constraints would take the weights from the start."""
        self._go(self.start)
        for player in _PLAYERS:
            parameters = self._parameters[player]
            vector = along.of(player).detach().clone()
            grads = unflatten(vector, parameters, self._absent[player])
            self._players[player].preview(parameters, grads)
        self._is_away = True
        self.game.constrain()
        there = self._here()
        return there if share == 1.0 else self.start + share * (there - self.start)

    def gradients(self, along: Point) -> dict[Player, Gradient]:
        """The direction as the gradients that the optimizers are given; D first."""
        found: dict[Player, Gradient] = {}
        for player in reversed(_PLAYERS):
            vector = along.of(player).detach()
            norm = torch.linalg.vector_norm(vector)
            finite = torch.isfinite(norm)
            if self._finite is not None:
                finite = finite & self._finite
            grads = unflatten(vector, self._parameters[player], self._absent[player])
            found[player] = Gradient(grads, self._terms, norm, finite)
        return found

    def _differentiable(self, point: Point) -> Point:
        field = GameField(
            self.game, self._next_batch(), self.step, keeps_buffers=self._evaluations > 0
        )
        here = field(point)
        norm = torch.linalg.vector_norm(torch.cat([here.g.detach(), here.d.detach()]))
        self._note(field.terms, torch.isfinite(norm), ())
        return here

    def _next_batch(self) -> Batch:
        if self.fresh and self._evaluations:
            self.batch = self._draw()
        return self.batch

    def _note(
        self, terms: Mapping[str, Tensor], finite: Tensor, gradients: tuple[Gradient, ...]
    ) -> None:
        self._finite = finite if self._finite is None else self._finite & finite
        if not self._evaluations:
            self._terms = dict(terms)
            self._buffers = [b.clone() for b in self._own_buffers()]
            for player, gradient in zip(_PLAYERS, gradients, strict=False):
                self._absent[player] = frozenset(
                    i for i, grad in enumerate(gradient.grads) if grad is None
                )
        self._evaluations += 1

    def _own_buffers(self) -> list[Tensor]:
        return [*self.game.g.buffers(), *self.game.d.buffers()]

    def _here(self) -> Point:
        return stand(self._parameters["g"], self._parameters["d"])

    def _go(self, point: Point) -> None:
        """Write the point into the networks."""
        if point is self.start and not self._is_away:
            return
        place(point, self._parameters["g"], self._parameters["d"])
        self._is_away = point is not self.start
