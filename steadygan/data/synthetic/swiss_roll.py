"""A spiral: one curved, connected piece, no modes."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from steadygan.data.scale import Affine
from steadygan.data.seeds import BLOCK
from steadygan.data.synthetic.checks import at_least
from steadygan.data.synthetic.synthetic import Synthetic

_START, _END = 1.5 * math.pi, 4.5 * math.pi


@dataclass(frozen=True)
class SwissRoll(Synthetic):
    """Points along a spiral of one and a half turns, blurred.

    x = (t·cos t, t·sin t) + std·ε, with t uniform in [3π/2, 9π/2] and ε ~ N(0, I). The network sees
    (x - (2, 0.21)) / 6.79: zero mean, unit mean variance.

    Use it for a set without modes, where a generator can fold or shorten the curve. Cost:
    microseconds.

    Args:
        std: standard deviation of the noise in each coordinate, >= 0 [data coordinates; the
            spiral's radius is 4.7 to 14.1].

    Raises:
        ConfigError: if ``std`` is out of range.

    Source: the planar section of the roll of Marsland (2009), Machine Learning: An Algorithmic
    Perspective, as scikit-learn draws it; used with noise 0.25 by Gulrajani et al. (2017), arXiv
    1704.00028, section 3.1.
    """

    std: float = 0.25

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        at_least(self, "std", 0)

    @cached_property
    def scale(self) -> Affine:
        """From the noiseless curve's moments: E[t cos t], E[t sin t], E[t²] of a uniform t."""
        length = _END - _START
        shift_x = (_END * math.sin(_END) - _START * math.sin(_START)) / length
        shift_y = (math.sin(_END) - math.sin(_START)) / length
        mean_square = (_END**3 - _START**3) / (3 * length)
        unit = math.sqrt((mean_square - shift_x**2 - shift_y**2) / 2)
        return Affine(torch.tensor([shift_x, shift_y]), torch.tensor(unit))

    def block(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Places along the curve, and noise around them."""
        t = _START + (_END - _START) * torch.rand(BLOCK, generator=generator)
        noise = torch.randn(BLOCK, 2, generator=generator)
        x = torch.stack([t * t.cos(), t * t.sin()], dim=1).add_(noise, alpha=self.std)
        return x, torch.zeros(BLOCK, dtype=torch.int64)
