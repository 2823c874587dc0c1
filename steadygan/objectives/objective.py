"""The contract of an objective: the pair of losses of the two players, from logits alone."""

from abc import ABC, abstractmethod
from typing import ClassVar

from steadygan.errors import ContractError
from steadygan.types import Logits


class Objective(ABC):
    """A pair of losses. Subclasses are frozen dataclasses without networks, state or ``backward``.

    Both losses are minimised, high logits mean real, and both return one value per sample: whoever
    calls takes the mean. Losses and their gradients must be finite for float32 logits up to 1e4 in
    size.

    Class attributes:
        needs_real_for_g: the generator's loss reads D's logits on reals (relativistic objectives).
        indifference: mean ``d_loss`` when D answers the same constant for everything and that
            constant is the best one, a yardstick for ``loss_d``; None where the loss has no scale
            of its own to compare with (Wasserstein: it is 0 at every constant).
        bounded_logits: False where logits are an unbounded score by design (Wasserstein critics).
        reading: what a healthy course of ``loss_d`` and ``loss_g`` looks like, in one sentence
            each.
    """

    needs_real_for_g: ClassVar[bool] = False
    bounded_logits: ClassVar[bool] = True
    reading: ClassVar[dict[str, str]]

    @property
    @abstractmethod
    def indifference(self) -> float | None:
        """See the class docstring; a property, so that it may depend on the settings."""

    @abstractmethod
    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """The discriminator's loss per sample.

        Shape: real, fake (b,) -> (b,).
        """

    @abstractmethod
    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """The generator's loss per sample; ``real`` is given where ``needs_real_for_g``.

        Shape: fake, real (b,) -> (b,).
        """


def needed_real(objective: Objective, real: Logits | None) -> Logits:
    """D's logits on reals, for a generator's loss that cannot do without them.

    Raises:
        ContractError: if they were not given.
    """
    if real is None:
        raise ContractError(
            f"{type(objective).__name__}.g_loss must be given D's logits on reals, got None; "
            "pass real=..., as for every objective with needs_real_for_g."
        )
    return real
