"""Penalties at points of their own choosing, taken apart: random numbers, points, what a slope costs there."""

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from steadygan.penalties.input_gradient import gradient_at, norm
from steadygan.penalties.penalty import Penalty
from steadygan.types import Critic, Judged, Logits, Samples


@dataclass(frozen=True)
class PlacedPenalty(Penalty):
    """A penalty on D's slope at random points near or between the samples.

    P = toll(‖∇ₓ D(x̂)‖),  x̂ = points(x, x̃, noise)

    The random numbers are drawn apart from their use, so that an ensemble can give each of its members
    its own. Subclasses say the three parts; ``weight``, ``every`` and ``relative`` are as in ``Penalty``.
    """

    def __call__(self, critic: Critic, real: Judged, fake: Judged) -> Logits:
        """The toll at one point for each real."""
        grad = gradient_at(self.points(real.x, fake.x, self.noise(real.x)), critic)
        return self.toll(norm(grad, relative=self.relative))

    @abstractmethod
    def noise(self, real: Samples) -> Tensor:
        """The random numbers for a batch like these reals, from torch's global generator."""

    @abstractmethod
    def points(self, real: Samples, fake: Samples, noise: Tensor) -> Samples:
        """Where the slope is measured.

        Shape: -> (b, *event).
        """

    @abstractmethod
    def toll(self, slope: Logits) -> Logits:
        """What a slope of that size costs."""
