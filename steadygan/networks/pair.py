"""What generators and discriminators declare about themselves, and the pair of them."""

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple, get_args

from torch import Tensor, nn

from steadygan.errors import ContractError
from steadygan.types import Labels, Latents, Logits, Samples

Output = Literal["linear", "tanh", "sigmoid"]
OUTPUTS: tuple[str, ...] = get_args(Output)

_RANGES: dict[str, tuple[float, float] | None] = {
    "linear": None,
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
}
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "linear": nn.Identity,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Generator(nn.Module, ABC):
    """A network from latents to samples that says what it takes and what it makes.

    Attributes:
        latent: size of z.
        event: shape of one sample.
        classes: number of labels; 0 where the network is unconditional and ignores ``y``.
        output_range: the bounds of every coordinate (tanh, sigmoid), or None where there are none.
        squash: the output's activation.
    """

    def __init__(self, latent: int, event: tuple[int, ...], output: Output, classes: int) -> None:
        super().__init__()
        self.latent = latent
        self.event = event
        self.classes = classes
        self.output_range = _RANGES[output]
        self.squash = _ACTIVATIONS[output]()

    @abstractmethod
    def forward(self, z: Latents, y: Labels | None = None) -> Samples:
        """Samples from latents.

        Shape: z (b, latent), y (b,) -> (b, *event).
        """


class Discriminator(nn.Module, ABC):
    """A network from samples to logits, high on reals.

    Attributes:
        event: shape of one sample.
        classes: number of labels; 0 where the network is unconditional and ignores ``y``.
        per_sample: D's answer on a sample does not depend on the others in the batch, so that reals
            and fakes may be judged in one pass and gradient penalties mean what they say. False
            under batch norm only. Dropout keeps it true: masks are drawn for each sample on its
            own, so one pass over both sides is the same random function as two. Under spectral norm
            the weights move a little with every pass in train mode, alike for all samples in it.
    """

    def __init__(self, event: tuple[int, ...], classes: int, *, per_sample: bool) -> None:
        super().__init__()
        self.event = event
        self.classes = classes
        self.per_sample = per_sample

    @abstractmethod
    def forward(self, x: Samples, y: Labels | None = None) -> Logits:
        """Logits from samples.

        Shape: x (b, *event), y (b,) -> (b,).
        """


class Pair(NamedTuple):
    """A generator and the discriminator built to match it."""

    g: Generator
    d: Discriminator


def required(y: Tensor | None, classes: int) -> Tensor:
    """The labels a conditional network cannot do without.

    Raises:
        ContractError: if there are none.
    """
    if y is None:
        raise ContractError(
            f"a network built with classes={classes} needs labels y, got None; "
            "pass labels of shape (b,), or build it with classes=0."
        )
    return y
