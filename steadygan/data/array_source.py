"""Stored samples as an endless stream: every epoch in a new order, every sample once an epoch."""

import threading
from collections.abc import Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.data.scale import Scale
from steadygan.data.seeds import BLOCK, Purpose, generator_at, in_blocks
from steadygan.data.source import Fingerprint, Source, checksum
from steadygan.errors import ConfigError
from steadygan.types import Labels, Samples

_ORDERS_KEPT = 2  # a batch touches at most two neighbouring epochs of a set larger than itself


class ArraySource(Source):
    """Samples in one array, in memory or memory-mapped.

    Sample i of epoch e is number ``permutation(seed, e)[i]`` of the array; a batch may straddle two
    epochs. The last two permutations are kept, so a draw costs one gather, plus the scaling of
    bytes.

    Args:
        stored: (n, *event), uint8 in the data's own units, or float32 already in the network's
            scale.
        labels: (n,) class numbers from 0, or None.
        scale: between the data's units and the network's.
        classes: how many classes; 0 without labels.
        augment: applied in this order to what ``draw`` returns, to images only.

    Raises:
        ConfigError: for augmentations of samples that are not images.
    """

    def __init__(
        self,
        stored: Shaped[Tensor, "n *event"],
        labels: Labels | None,
        *,
        scale: Scale,
        classes: int = 0,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        if augment and stored.ndim != 4:
            raise ConfigError(
                f"{type(self).__name__}.augment needs images (c, h, w), got samples of shape "
                f"{tuple(stored.shape[1:])}; leave augment empty."
            )
        self._stored = stored
        self._labels = labels
        self._scale = scale
        self._classes = classes
        self._augment = tuple(augment)
        self._orders: dict[tuple[int, int], Tensor] = {}
        self._lock = threading.Lock()

    @property
    def event(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self._stored.shape[1:])

    @property
    def classes(self) -> int:
        """How many classes; 0 without labels."""
        return self._classes

    @property
    def size(self) -> int:
        """How many samples are stored."""
        return len(self._stored)

    @property
    def scale(self) -> Scale:
        """Between the data's own units and the network's."""
        return self._scale

    def draw(self, position: int, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """Samples of the shuffled epochs; see ``Source.draw``."""
        x, y = self._gather(self._indices(position, num, seed))
        for place, augmentation in enumerate(self._augment):
            x = augmentation(x, _uniforms(augmentation, position, num, seed, place))
        return x, y

    def reference(self, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """A random subset, not augmented; all, in stored order, where ``num`` >= ``size``."""
        if num >= self.size:
            return self._gather(torch.arange(self.size))
        order = torch.randperm(self.size, generator=generator_at(Purpose.REFERENCE, seed))
        return self._gather(order[:num])

    def fingerprint(self) -> Fingerprint:
        """Name, counts, shape and a checksum of samples and labels; reads the whole array once."""
        return {
            "name": type(self).__name__,
            "size": self.size,
            "event": list(self.event),
            "classes": self.classes,
            "augment": [repr(a) for a in self._augment],
            "checksum": checksum(self._stored, self._labels),
        }

    def _gather(self, indices: Tensor) -> tuple[Tensor, Tensor | None]:
        x = self._stored.index_select(0, indices)
        x = x if x.dtype == torch.float32 else self._scale.to_network(x)
        return x, None if self._labels is None else self._labels.index_select(0, indices)

    def _indices(self, position: int, num: int, seed: int) -> Tensor:
        epoch, start = divmod(position, self.size)
        if start + num <= self.size:
            return self._order(seed, epoch)[start : start + num]
        last = (position + num - 1) // self.size
        orders = torch.cat([self._order(seed, e) for e in range(epoch, last + 1)])
        return orders[start : start + num]

    def _order(self, seed: int, epoch: int) -> Tensor:
        with self._lock:  # a prefetching thread and the caller may draw at once
            order = self._orders.get((seed, epoch))
            if order is None:
                generator = generator_at(Purpose.ORDER, seed, epoch)
                order = torch.randperm(self.size, generator=generator)
                while len(self._orders) >= _ORDERS_KEPT:
                    del self._orders[next(iter(self._orders))]
                self._orders[seed, epoch] = order
            return order


def _uniforms(
    augmentation: Augmentation, position: int, num: int, seed: int, place: int
) -> Float[Tensor, "b k"]:
    """The random numbers of the ``place``-th augmentation, counted like the samples."""

    def block(k: int) -> tuple[Tensor]:
        generator = generator_at(Purpose.AUGMENTATION, seed, place, k)
        return (torch.rand(BLOCK, augmentation.num_random, generator=generator),)

    (u,) = in_blocks(position, num, block)
    return u
