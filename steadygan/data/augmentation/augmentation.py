"""The contract of an augmentation: a batched tensor operation with its randomness handed in."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor


class Augmentation(ABC):
    """Changes images at random, each by itself, in the network's scale [-1, 1], and stays inside
    it.

    Subclasses are frozen dataclasses without state. The result for one image depends on that image
    and its own random numbers only, never on its neighbours in the batch: that keeps streams the
    same however they are cut. Augment reals only if the generator may learn the augmented look; G
    is trained to match what D is shown.

    Class attributes:
        num_random: how many uniform numbers one image needs.
    """

    num_random: ClassVar[int]

    @abstractmethod
    def __call__(
        self, x: Float[Tensor, "b c h w"], u: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b c h w"]:
        """The images, changed.

        Args:
            x: images in [-1, 1]; not written to.
            u: uniform numbers in [0, 1), ``num_random`` an image.
        """
