"""A running average of G's weights, to sample from."""

from torch import nn

from steadygan.errors import ActionError
from steadygan.networks.averaging import WeightAverage
from steadygan.remedies.knob import Knob
from steadygan.remedies.step import Step
from steadygan.types import StateDict


class Average(Knob):
    """Follows G with a half-life in G's steps; the training never sees it.

    Args:
        network: G, inside of its wrappers.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._average: WeightAverage | None = None
        self.half_life: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether an average is kept."""
        return self._average is not None

    @property
    def generator(self) -> nn.Module | None:
        """The averaged copy."""
        return None if self._average is None else self._average.generator

    def set(self, half_life: float | None) -> None:
        """Begin from the weights as they are, or change the half-life, or with None forget the average.

        Raises:
            ActionError: for a half-life that is not positive, or a G that cannot be copied.
        """
        if half_life is None:
            self._average = self.half_life = None
            return
        if not 0 < half_life < float("inf"):
            raise ActionError(
                f"the average's half-life must be > 0 steps and finite, got {half_life}; 1000 suits most runs."
            )
        if self._average is None:
            self._average = self._begun(half_life)
        self._average.decay = 0.5 ** (1 / half_life)
        self.half_life = float(half_life)

    def after(self, step: Step) -> None:
        """Follow a step that moved G."""
        if step.moves("g"):
            self.follow()

    def follow(self) -> None:
        """Move the average, if there is one, towards G's weights as they are."""
        if self._average is not None:
            self._average.update()

    def close(self) -> None:
        """Forget it."""
        self.set(None)

    def state_dict(self) -> StateDict:
        """The half-life and the average."""
        average = None if self._average is None else self._average.state_dict()
        return {"half_life": self.half_life, "average": average}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``; a copy that is there stays the same object."""
        self.set(state["half_life"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])

    def _begun(self, half_life: float) -> WeightAverage:
        try:
            return WeightAverage(self._network, half_life=half_life, batch=1)
        except Exception as error:  # what a foreign network may hold is not ours to know
            raise ActionError(
                f"a weight average needs a generator that can be copied, got {type(error).__name__}: "
                f"{str(error).partition(chr(10))[0]}; treat another way."
            ) from error
