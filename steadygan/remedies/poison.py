"""Numbers that are none, in what a training carries from one step to the next."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from steadygan.probes.thinned import norms_of
from steadygan.remedies.knobs.guard import is_finite
from steadygan.remedies.ownership import Ownership
from steadygan.types import Player

Place = Literal["weight", "buffer", "optimizer"]


class Poison(NamedTuple):
    """A tensor with a number that is none: whose, where it lives, and its name."""

    player: Player
    place: Place
    name: str


def poison_in(owners: Ownership) -> list[Poison]:
    """Every weight, buffer and optimizer state that is not finite; waits for the device.

    Cost: one read of them all, and more only where something is found.
    """
    carried = list(_carried(owners))
    tensors = [c.tensor for c in carried if not c.tensor.is_complex() and c.tensor.numel()]
    if not tensors or bool(torch.isfinite(norms_of(tensors).sum())):
        return []
    return [
        Poison(c.player, c.place, c.name if c.of is None else owners.name_of(c.of) + c.name)
        for c in carried
        if not is_finite(c.tensor)
    ]


class _Carried(NamedTuple):
    """A tensor; its parameter's name is asked for only where something is wrong with it."""

    tensor: Tensor
    player: Player
    place: Place
    name: str
    of: Tensor | None = None


def _carried(owners: Ownership) -> Iterator[_Carried]:
    for player, network in owners.networks.items():
        for name, tensor in network.named_buffers():
            if tensor.is_floating_point():
                yield _Carried(tensor, player, "buffer", f"{player}.{name}")
        states = owners.by_player[player].state
        for p in owners.parameters(player):
            yield _Carried(p.detach(), player, "weight", "", p)
            for key, value in states.get(p, {}).items():
                if isinstance(value, Tensor) and value.is_floating_point():
                    yield _Carried(value, player, "optimizer", f": {key}", p)
