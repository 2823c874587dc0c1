"""A ring of Gaussians: the standard picture of mode collapse."""

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
class Ring(Synthetic):
    """Equal Gaussians evenly spaced on a circle, far apart for their width.

    x = radius·(cos 2πk/modes, sin 2πk/modes) + std·ε, with k uniform and ε ~ N(0, I).
    The network sees x·√2/radius: about unit variance in each coordinate.

    Use it to see collapse, mode hopping and rotation in seconds; it says nothing about images.
    Cost: microseconds.

    Args:
        modes: how many Gaussians, >= 1.
        radius: of the circle, > 0 [data coordinates].
        std: standard deviation of each Gaussian, >= 0 [data coordinates].
        labels: give the mode as the label.

    Raises:
        ConfigError: if an argument is out of range.

    Source: Metz, Poole, Pfau, Sohl-Dickstein (2017), arXiv 1611.02163, section 3.1 and appendix A:
    8 modes of standard deviation 0.02 on a circle of radius 2. We differ in the network's scale
    only.

    >>> ring = Ring(modes=8)
    >>> x, _ = ring.draw(position=0, num=64, seed=0)
    >>> nearest = torch.cdist(ring.to_data(x), ring.centres).amin(1)
    >>> bool((nearest < 6 * ring.std).all())
    True
    """

    modes: int = 8
    radius: float = 2.0
    std: float = 0.02
    labels: bool = False

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        at_least(self, "modes", 1)
        at_least(self, "radius", 0, strictly=True)
        at_least(self, "std", 0)

    @property
    def classes(self) -> int:
        """The modes, where labels were asked for."""
        return self.modes if self.labels else 0

    @cached_property
    def centres(self) -> Float[Tensor, "modes 2"]:
        """The Gaussians' means, in the data's coordinates."""
        angle = torch.arange(self.modes, dtype=torch.float64) * (2 * math.pi / self.modes)
        return (self.radius * torch.stack([angle.cos(), angle.sin()], dim=1)).float()

    @cached_property
    def scale(self) -> Affine:
        """A point of the circle has variance radius²/2 in each coordinate."""
        return Affine(torch.zeros(()), torch.tensor(self.radius / math.sqrt(2)))

    def block(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A mode each, and noise around it."""
        y = torch.randint(self.modes, (BLOCK,), generator=generator)
        noise = torch.randn(BLOCK, 2, generator=generator)
        return self.centres[y].add_(noise, alpha=self.std), y
