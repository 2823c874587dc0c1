"""The contract of a probe: a measurement on a game in training that leaves no trace in it."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import Tensor, nn

from steadygan.probes.untouched import run_untouched

Cost = Literal["free", "forward", "backward", "double-backward"]

Inputs = tuple[Tensor, ...]
"""What a network is called with: samples or latents, and labels where it takes them."""


class GameView:
    """What a probe may look at: both networks as they are, in the mode they train in, and the step.

    The networks are the training's own, not copies: to look is allowed, to touch is not. A view is of
    one moment: what G makes of some latents is made once and kept.

    Args:
        g, d: the networks.
        step: of the training.
        at_once: the most samples that should go through a network together, for its memory; None: all.
    """

    def __init__(self, g: nn.Module, d: nn.Module, step: int, at_once: int | None = None) -> None:
        self.g, self.d, self.step, self.at_once = g, d, step, at_once
        self._made: dict[tuple[int, ...], tuple[tuple[Tensor, ...], Tensor]] = {}

    def samples(self, *inputs: Tensor) -> Tensor:
        """G's samples for these latents and further inputs, without a graph; G is left untouched."""
        key = tuple(map(id, inputs))
        if (
            key not in self._made
        ):  # the inputs are kept as well: an id is unique while its owner lives
            self._made[key] = inputs, run_untouched(self.g, *inputs, at_once=self.at_once)
        return self._made[key][1]


class Probe(ABC):
    """Measures named signals. When it is due is its host's decision.

    Measuring is an identity: with or without it the training goes on bit for bit the same.
    Parameters, buffers (batch-norm statistics among them), ``.grad``, train and eval flags and the
    state of every torch generator are afterwards what they were. What a probe remembers between two
    measurements is its own, and decides nothing but its signals.

    Class attributes:
        unit: of the signals; "" for ratios and shares.
        cost: the dearest thing it does with the networks.
    """

    unit: ClassVar[str]
    cost: ClassVar[Cost]

    @abstractmethod
    def measure(self, view: GameView) -> dict[str, float | Tensor]:
        """The signals at this step, as numbers or 0-d tensors left on their device.

        A signal that cannot be measured yet is absent; one that came out undefined is NaN.
        """
