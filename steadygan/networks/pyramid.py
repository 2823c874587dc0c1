"""The resolutions an image network passes through and how wide it is at each."""

from typing import NamedTuple

from steadygan.networks.layers.seed import SIDE

_CAP = 8


class Pyramid(NamedTuple):
    """From 4x4 to the image; channels double with each halving of the side, up to 8 · ``width``.

    Args:
        size: side of an image [pixels], a power of two.
        channels: of an image.
        width: channels at half the size.

    >>> pyramid = Pyramid(size=64, channels=3, width=64)
    >>> pyramid.inner, [pyramid.width_at(side) for side in pyramid.inner]
    ((4, 8, 16, 32), [512, 256, 128, 64])
    """

    size: int
    channels: int
    width: int

    @property
    def event(self) -> tuple[int, int, int]:
        """The shape of one image."""
        return self.channels, self.size, self.size

    @property
    def inner(self) -> tuple[int, ...]:
        """The sides of the maps inside the networks, smallest first: 4 to size/2 [pixels]."""
        return tuple(2**n for n in range(SIDE.bit_length() - 1, self.size.bit_length() - 1))

    def width_at(self, side: int) -> int:
        """Channels of the map of this side; the image's own side counts as half of it."""
        return self.width * min(_CAP, max(1, self.size // (2 * side)))
