"""The field a rule's map is stated on: both players' gradients as a function of both players' parameters."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from steadygan.game import Game, Losses
from steadygan.types import Batch, Player
from steadygan.updates.point import Point, split, stand


class Totals(NamedTuple):
    """Both players' losses, as 0-d tensors."""

    g: Tensor
    d: Tensor


@runtime_checkable
class Field(Protocol):
    """v(θ, φ) = (∇_θ L_g(θ, φ), ∇_φ L_d(θ, φ)), differentiable by ``torch.autograd`` as often as a rule asks.

    Called with a point that carries gradients it must return a value that depends on the point in autograd's eyes;
    with any other it may return plain numbers. The gradients are partial ones: one player's vector may have been
    computed from the other's, and that path is no part of them; ``gradients_of`` takes care of it.
    """

    def __call__(self, point: Point) -> Point:
        """Both gradients at the point."""

    def losses(self, point: Point) -> Totals:
        """Both losses at the point; only rules that differentiate one player's loss through the other ask."""


class LossField:
    """The field of two losses given as functions of flat vectors: toy games.

    >>> field = LossField(lambda theta, phi: (theta @ phi, -theta @ phi))
    >>> field(Point(torch.tensor([1.0]), torch.tensor([2.0])))
    Point(g=tensor([2.]), d=tensor([-1.]))
    """

    def __init__(self, losses: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
        self._losses = losses

    def losses(self, point: Point) -> Totals:
        """(L_g, L_d)."""
        return Totals(*self._losses(point.g, point.d))

    def __call__(self, point: Point) -> Point:
        """Both gradients, with a graph where the point has one."""
        return gradients_of(self.losses, point)


class GameField:
    """The field of a game on one batch, as a function of flat parameters; the networks' own stay as they are.

    Differentiable in the point to any order that the networks allow. Frozen parameters are constants, buffers (batch
    norm, spectral norm) are read and left alone unless ``keeps_buffers`` is False.

    Args:
        game, batch, step: what is evaluated; the step decides which lazy penalties are due.
        seed: of the random numbers inside an evaluation (dropout, interpolation points), so that the field is one
            function; the global generator is then left as it was. None: draw from the global generator.
        keeps_buffers: whether buffers are left alone.
    """

    def __init__(
        self,
        game: Game,
        batch: Batch,
        step: int = 1,
        *,
        seed: int | None = None,
        keeps_buffers: bool = True,
    ) -> None:
        self.game, self.batch, self.step = game, batch, step
        self.seed = seed
        self.keeps_buffers = keeps_buffers
        self.terms: dict[str, Tensor] = {}

    @property
    def point(self) -> Point:
        """Where the game stands now."""
        return stand(self.game.parameters("g"), self.game.parameters("d"))

    def losses(self, point: Point) -> Totals:
        """(L_g, L_d) with every penalty; also kept, without graph, in ``terms``."""
        placed = copy.copy(self.game)
        placed.g, placed.d = self._placed("g", point.g), self._placed("d", point.d)
        with self._randomness():
            found: Losses = placed.losses(self.batch, self.step)
        self.terms = dict(found.terms)
        return Totals(found.g, found.d)

    def __call__(self, point: Point) -> Point:
        """Both gradients, with a graph where the point has one."""
        return gradients_of(self.losses, point)

    def _placed(self, player: Player, vector: Tensor) -> "_Placed":
        network = self.game.g if player == "g" else self.game.d
        parameters = self.game.parameters(player)
        names = {id(p): name for name, p in network.named_parameters()}
        parts = zip(parameters, split(vector, parameters), strict=True)
        tensors = {names[id(p)]: part for p, part in parts}
        if self.keeps_buffers:
            tensors |= {name: b.clone() for name, b in network.named_buffers()}
        return _Placed(network, tensors)

    @contextmanager
    def _randomness(self) -> Iterator[None]:
        if self.seed is None:
            yield
            return
        device = self.batch.x.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.random.manual_seed(self.seed)
            yield


def gradients_of(losses: Callable[[Point], Totals], point: Point) -> Point:
    """Each player's gradient of its own loss; the graph is kept where the point asks for derivatives."""
    at = point.attached()
    with torch.enable_grad():
        total = losses(at)
    keep = point.requires_grad
    g = _gradient(total.g, at.g, retain=True, create=keep)
    return Point(g, _gradient(total.d, at.d, retain=keep, create=keep))


def _gradient(total: Tensor, vector: Tensor, *, retain: bool, create: bool) -> Tensor:
    if not total.requires_grad:
        return torch.zeros_like(vector)
    (found,) = torch.autograd.grad(
        total,
        vector,
        retain_graph=retain or create,
        create_graph=create,
        allow_unused=True,
        materialize_grads=True,
    )
    return found


class _Placed(nn.Module):
    """A network run with other tensors in the place of its own; owns nothing itself."""

    def __init__(self, network: nn.Module, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self._held = (
            network,
            tensors,
        )  # in a tuple, so that the network is no submodule of this one

    def forward(self, *inputs: Tensor) -> Tensor:
        """The network's answer."""
        network, tensors = self._held
        answer: Tensor = functional_call(network, tensors, inputs)
        return answer
