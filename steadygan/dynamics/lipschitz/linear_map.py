"""Linear operations of a network as values: composed, added, and applied as one operator."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Act = Callable[[Sequence[Tensor]], Tensor]


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear operation applied to the results of earlier ones; all start from one tensor.

    A network's convolutions, poolings and sums between two rectifiers are one such map. Its norm is
    often far below the product of the norms: an average pooling after a convolution, say.

    Args:
        start: shape of what the map is applied to.
        shape: shape of the result.
        parents: the maps whose results ``act`` takes; None stands for zeros of that shape.
        act: linear in all its arguments jointly; None for the identity.
        key: equal keys promise equal maps (a hash of the operation and its constants).
        keeps_norm: the operation only rearranges numbers.
    """

    start: torch.Size
    shape: torch.Size
    parents: tuple["LinearMap | torch.Size", ...] = ()
    act: Act | None = None
    key: str = ""
    keeps_norm: bool = False

    def __call__(self, x: Float[Tensor, "*start"]) -> Float[Tensor, "*shape"]:
        """Apply the whole composition; each map of it once."""
        return self._apply(x, {})

    def _apply(self, x: Tensor, done: dict[int, Tensor]) -> Tensor:
        if self.act is None:
            return x
        if id(self) not in done:
            inputs = [
                p._apply(x, done) if isinstance(p, LinearMap) else x.new_zeros(p)
                for p in self.parents
            ]
            done[id(self)] = self.act(inputs)
        return done[id(self)]


def identity(shape: torch.Size) -> LinearMap:
    """The map that changes nothing."""
    return LinearMap(shape, shape, key=digest("identity", shape))


def digest(*things: Any) -> str:
    """A hash of an operation's name, its constants by value, and its parents' keys."""
    sha = hashlib.sha256()
    _feed(sha, things)
    return sha.hexdigest()


def _feed(sha: Any, thing: Any) -> None:
    if isinstance(thing, Tensor):
        sha.update(f"{thing.dtype}{tuple(thing.shape)}".encode())
        sha.update(thing.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(thing, list | tuple):
        sha.update(f"{type(thing).__name__}{len(thing)}".encode())
        for each in thing:
            _feed(sha, each)
    elif isinstance(thing, dict):
        _feed(sha, list(thing.items()))
    else:
        sha.update(repr(thing).encode())
