"""The contract of a knob: what holds one treatment on, step by step."""

from abc import ABC, abstractmethod

from steadygan.remedies.step import Step
from steadygan.types import StateDict


class Knob(ABC):
    """One thing about a running game that can be turned. Idle, it does nothing and has no hooks anywhere.

    Actions set knobs; knobs check the hard limits. The game calls ``before`` and ``after`` around each
    optimizer step while any knob is on.
    """

    @property
    @abstractmethod
    def is_on(self) -> bool:
        """Whether it has anything to do at optimizer steps."""

    def begin(self, step: Step) -> None:
        """An optimizer's step begins; under a closure, its gradients are yet to come."""
        return

    def before(self, step: Step) -> None:
        """The gradients are there; under a closure, each time that it was called."""
        return

    def after(self, step: Step) -> None:
        """It has stepped; gradients are put back by now."""
        return

    @abstractmethod
    def close(self) -> None:
        """Off, with every hook removed; weights stay as they are in effect."""

    @abstractmethod
    def state_dict(self) -> StateDict:
        """Setting and progress."""

    @abstractmethod
    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``, hooks included."""
