"""Two interleaved half circles: two curved pieces that no line separates."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from steadygan.data.scale import Affine
from steadygan.data.seeds import BLOCK
from steadygan.data.synthetic.checks import at_least
from steadygan.data.synthetic.synthetic import Synthetic


@dataclass(frozen=True)
class Moons(Synthetic):
    """Two half circles of radius 1, one opening into the other, blurred.

    Moon 0: (cos t, sin t); moon 1: (1 - cos t, ½ - sin t); plus std·ε, with t uniform in [0, π],
    the moon uniform and ε ~ N(0, I). The network sees (x - (½, ¼)) / 0.705: zero mean, unit mean
    variance.

    Use it to see whether a generator bridges two pieces. Cost: microseconds.

    Args:
        std: standard deviation of the noise in each coordinate, >= 0 [data coordinates].
        labels: give the moon as the label.

    Raises:
        ConfigError: if ``std`` is out of range.

    Source: the set that scikit-learn calls make_moons; ours draws t at random instead of evenly.
    """

    std: float = 0.05
    labels: bool = False

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        at_least(self, "std", 0)

    @property
    def classes(self) -> int:
        """The two moons, where labels were asked for."""
        return 2 if self.labels else 0

    @cached_property
    def scale(self) -> Affine:
        """From the curves' moments: x has variance ½ + ¼; for y, E[sin t] = 2/π, E[sin² t] = ½."""
        height = 2 / math.pi
        variance_y = (0.5 - height**2) + (height - 0.25) ** 2
        unit = math.sqrt((0.75 + variance_y) / 2)
        return Affine(torch.tensor([0.5, 0.25]), torch.tensor(unit))

    def block(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A moon and a place on it each, and noise around it."""
        y = torch.randint(2, (BLOCK,), generator=generator)
        t = math.pi * torch.rand(BLOCK, generator=generator)
        noise = torch.randn(BLOCK, 2, generator=generator)
        upper = torch.stack([t.cos(), t.sin()], dim=1)
        lower = torch.tensor([1.0, 0.5]) - upper
        return torch.where(y[:, None] == 0, upper, lower).add_(noise, alpha=self.std), y
