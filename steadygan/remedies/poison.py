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
    kept = list(_carried(owners))
    tensors = [tensor for _, tensor in kept if not tensor.is_complex() and tensor.numel()]
    if not tensors or bool(torch.isfinite(norms_of(tensors).sum())):
        return []
    return [poison for poison, tensor in kept if not is_finite(tensor)]


def _carried(owners: Ownership) -> Iterator[tuple[Poison, Tensor]]:
    for player, network in owners.networks.items():
        for name, tensor in network.named_buffers():
            if tensor.is_floating_point():
                yield Poison(player, "buffer", f"{player}.{name}"), tensor
        for p in owners.parameters(player):
            yield Poison(player, "weight", owners.name_of(p)), p.detach()
            for key, value in owners.by_player[player].state.get(p, {}).items():
                if isinstance(value, Tensor) and value.is_floating_point():
                    yield Poison(player, "optimizer", f"{owners.name_of(p)}: {key}"), value
