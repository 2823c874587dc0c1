"""Where each weight of a player lies in the one long row that an ensemble keeps for a member."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from steadygan.networks.pair import Discriminator, Generator

NARROW = 4
"""Sizes of a linear layer's inputs or outputs up to here are written out as sums instead of batched products."""

_VECTOR = 16  # numbers: a weight starts where a vector of the widest processors does


@dataclass(frozen=True)
class _Part:
    """One weight: its shape, its first number, and whether it is kept transposed."""

    shape: tuple[int, ...]
    first: int
    turned: bool

    @property
    def num(self) -> int:
        return math.prod(self.shape)

    @property
    def room(self) -> int:
        return -(-self.num // _VECTOR) * _VECTOR


class Layout:
    """All weights of a network end to end, in the order of ``network.parameters()``.

    One tensor a player in place of one for each weight: an optimizer then moves all weights of all members in
    one sweep, and a compiled step has a handful of inputs and outputs. Gaps up to whole vectors hold zeros.
    Weights of linear layers with few inputs are kept transposed, so that they are read along their outputs.

    Args:
        network: whose weights.
    """

    def __init__(self, network: Generator | Discriminator) -> None:
        turned = {
            id(layer.weight)
            for layer in network.modules()
            if isinstance(layer, nn.Linear) and layer.in_features <= NARROW < layer.out_features
        }
        self._parts: list[_Part] = []
        self.width = 0
        for weight in network.parameters():
            part = _Part(tuple(weight.shape), self.width, id(weight) in turned)
            self._parts.append(part)
            self.width += part.room

    def parts(self, row: Float[Tensor, "m n"]) -> list[Tensor]:
        """Views of every weight, (m, *shape)."""
        return [self._view(row, part) for part in self._parts]

    def joined(self, weights: Sequence[Tensor]) -> Float[Tensor, "m n"]:
        """The row of these weights (m, *shape), such as gradients; zeros in the gaps."""
        pieces: list[Tensor] = []
        for part, weight in zip(self._parts, weights, strict=True):
            pieces.append((weight.mT if part.turned else weight).flatten(1))
            if part.room > part.num:
                pieces.append(weight.new_zeros(len(weight), part.room - part.num))
        return torch.cat(pieces, dim=1)

    def _view(self, row: Tensor, part: _Part) -> Tensor:
        piece = row[:, part.first : part.first + part.num]
        if not part.turned:
            return piece.view(len(row), *part.shape)
        return piece.view(len(row), *reversed(part.shape)).mT
