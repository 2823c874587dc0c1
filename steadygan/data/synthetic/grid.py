"""A square grid of Gaussians: many modes, to count those a generator forgets."""

import math
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
class Grid(Synthetic):
    """Equal Gaussians on a square grid centred at the origin.

    x = spacing·(i - (side - 1)/2, j - (side - 1)/2) + std·ε, with i, j uniform over 0..side-1 and
    ε ~ N(0, I).
    The network sees x divided by spacing·√((side² - 1)/12), the standard deviation of the centres.

    Use it to count forgotten modes; unlike the ring it has inner modes, which are dropped last.
    Cost: microseconds.

    Args:
        side: Gaussians along one side, >= 2.
        spacing: distance between neighbours, > 0 [data coordinates].
        std: standard deviation of each Gaussian, >= 0 [data coordinates].
        labels: give the mode as the label.

    Raises:
        ConfigError: if an argument is out of range.

    Source: Srivastava, Valkov, Russell, Gutmann, Sutton (2017), arXiv 1705.07761, section 4.1: 25
    modes. Spacing 2 and standard deviation 0.05 as in the follow-up by Lin, Khetan, Fanti, Oh
    (2018), arXiv 1712.04086, section 4.1.
    """

    side: int = 5
    spacing: float = 2.0
    std: float = 0.05
    labels: bool = False

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        at_least(self, "side", 2)
        at_least(self, "spacing", 0, strictly=True)
        at_least(self, "std", 0)

    @property
    def classes(self) -> int:
        """The modes, where labels were asked for."""
        return self.side**2 if self.labels else 0

    @cached_property
    def centres(self) -> Float[Tensor, "modes 2"]:
        """The Gaussians' means, in the data's coordinates."""
        ticks = (torch.arange(self.side) - (self.side - 1) / 2) * self.spacing
        return torch.cartesian_prod(ticks, ticks)

    @cached_property
    def scale(self) -> Affine:
        """The centres' own standard deviation is the unit."""
        unit = self.spacing * math.sqrt((self.side**2 - 1) / 12)
        return Affine(torch.zeros(()), torch.tensor(unit))

    def block(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A mode each, and noise around it."""
        y = torch.randint(self.side**2, (BLOCK,), generator=generator)
        noise = torch.randn(BLOCK, 2, generator=generator)
        return self.centres[y].add_(noise, alpha=self.std), y
