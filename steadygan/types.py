"""The vocabulary every other module speaks: players, sides, batches, logits.

Conventions, fixed here once: the players are ``g`` and ``d``; reals come before fakes; every loss is
minimised; D's logits are high on reals; logits are vectors of shape ``(b,)``, never columns.

Shape letters: ``b`` batch, ``*event`` the shape of one sample, ``latent`` the size of a latent vector.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

Player = Literal["g", "d"]
Side = Literal["real", "fake"]

Samples = Float[Tensor, "b *event"]
Latents = Float[Tensor, "b *latent"]
Labels = Int[Tensor, "b"]
Logits = Float[Tensor, "b"]
Scalar = Float[Tensor, ""]

Critic = Callable[[Tensor], Tensor]
"""D with the batch's labels bound: samples (b, *event) -> logits (b,)."""

Schedule = Callable[[int], bool]
"""step -> is it due?"""

StateDict = dict[str, Any]
"""Tensors, numbers, strings, None, and lists, tuples and dicts of them; nothing that needs pickle."""


class Batch(NamedTuple):
    """What one gradient is computed from. ``y`` labels both the reals and the samples asked of G."""

    x: Float[Tensor, "b *event"]
    z: Float[Tensor, "b *latent"]
    y: Int[Tensor, "b"] | None = None


class Judged(NamedTuple):
    """Samples and what D said of them."""

    x: Float[Tensor, "b *event"]
    logits: Float[Tensor, "b"]


class Gradient(NamedTuple):
    """One player's gradient and where it came from.

    ``grads`` matches the player's trainable parameters in order; None where the loss does not reach one.
    ``terms`` are detached 0-d tensors: the total loss, its summands, and D's mean logits.
    ``finite`` is a 0-d bool tensor on the device: total loss and every gradient are finite.
    """

    grads: Sequence[Tensor | None]
    terms: Mapping[str, Tensor]
    norm: Tensor
    finite: Tensor


class StepInfo(NamedTuple):
    """What an update rule reports of one step: signals by name, still on their device."""

    signals: dict[str, Tensor | float]
