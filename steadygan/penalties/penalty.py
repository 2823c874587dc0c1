"""The contract of a penalty: a differentiable term added to the discriminator's loss."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from steadygan.errors import ConfigError
from steadygan.types import Critic, Judged, Logits, Side


@dataclass(frozen=True)
class Penalty(ABC):
    """A term added to D's loss. Returns the bare penalty per sample: the host multiplies.

    The host (``Game``) applies ``weight`` and laziness once, for every penalty alike: on steps
    divisible by ``every`` it adds ``weight * every * mean(penalty)``, so that the mean strength
    does not depend on ``every``.

    Args:
        weight: strength >= 0 [loss units]; 0 switches the penalty off.
        every: apply on steps divisible by this, >= 1.
        relative: state the strength relative to the input dimension n: gradient norms are measured
            as sqrt(n)·‖∇ₓD‖, the change of the logit when the sample moves along the gradient by
            one unit of root mean square. One setting then serves 8x8 and 128x128 images; the raw
            form needs a weight ∝ n.

    Class attributes:
        input_grad: the sides whose samples must carry gradients; the host prepares them and D's
            logits on them, so that the penalty shares D's forward pass.
    """

    weight: float = 1.0
    every: int = 1
    relative: bool = False

    input_grad: ClassVar[frozenset[Side]] = frozenset()

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        name = type(self).__name__
        if not 0 <= self.weight < float("inf"):
            raise ConfigError(
                f"{name}.weight must be >= 0 and finite, got {self.weight}; "
                "use weight=0 to switch the penalty off."
            )
        if self.every < 1:
            raise ConfigError(
                f"{name}.every must be >= 1, got {self.every}; "
                "use weight=0 to switch the penalty off."
            )

    def is_due(self, step: int) -> bool:
        """Whether the penalty acts at this step."""
        return self.weight > 0 and step % self.every == 0

    @abstractmethod
    def __call__(self, critic: Critic, real: Judged, fake: Judged) -> Logits:
        """The penalty per sample, before ``weight``.

        Args:
            critic: D with the batch's labels bound, for penalties that look at other points.
            real, fake: samples and D's logits on them, in one autograd graph for the sides in
                ``input_grad``; the other side's samples and logits are given too, without a promise
                of gradients.

        Shape: real.x, fake.x (b, *event) -> (b,).
        """
