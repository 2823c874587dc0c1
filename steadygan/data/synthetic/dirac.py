"""A point mass: the smallest data set on which GAN training can fail."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.scale import Affine
from steadygan.data.seeds import BLOCK
from steadygan.data.synthetic.checks import at_least
from steadygan.data.synthetic.synthetic import Synthetic


@dataclass(frozen=True)
class Dirac(Synthetic):
    """Every sample is the same point of the line.

    x = at. The network sees it unscaled.

    Use it with closed-form theory: a generator with one parameter and a linear discriminator orbit
    or converge by the update rule and penalty alone. Cost: microseconds.

    Args:
        at: where the mass is, finite [data coordinates].

    Raises:
        ConfigError: if ``at`` is not finite.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, definition 2.1 (there at 0).
    """

    at: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a place that is no number."""
        at_least(self, "at", float("-inf"))

    @property
    def event(self) -> tuple[int, ...]:
        """A point of the line."""
        return (1,)

    @property
    def std(self) -> float:
        """No noise."""
        return 0.0

    @cached_property
    def centres(self) -> Float[Tensor, "1 1"]:
        """The one mode."""
        return torch.tensor([[self.at]])

    @cached_property
    def scale(self) -> Affine:
        """As it is."""
        return Affine(torch.zeros(()), torch.ones(()))

    def block(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The point, again and again; nothing is random."""
        return torch.full((BLOCK, 1), self.at), torch.zeros(BLOCK, dtype=torch.int64)
