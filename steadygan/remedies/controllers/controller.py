"""The contract of a controller: it turns one knob a little, before anything is critical."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from steadygan.remedies.action import Action
from steadygan.types import StateDict


class Controller(ABC):
    """Reads signals of a training as they come and proposes actions; its host applies them.

    Off until its host makes one. It sees plain numbers under their names in the record, and nothing of the
    game; what it asks for goes through the same actions, with the same hard limits, as any treatment. A
    signal that is missing or not finite at a step changes nothing.

    Attributes:
        needs: the signals it reads.
    """

    needs: frozenset[str]

    def update(self, signals: Mapping[str, float]) -> Action | None:
        """Hear the signals of one iteration; the action to take now, None for none."""
        values = {name: float(signals[name]) for name in self.needs if name in signals}
        if values.keys() != self.needs or not all(_is_number(v) for v in values.values()):
            return None
        return self.respond(values)

    @abstractmethod
    def respond(self, signals: Mapping[str, float]) -> Action | None:
        """The answer to signals that are complete and finite."""

    @abstractmethod
    def state_dict(self) -> StateDict:
        """All that it remembers."""

    @abstractmethod
    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""


def clamped(value: float, lowest: float, highest: float) -> float:
    """The value, within bounds."""
    return min(max(value, lowest), highest)


def differs(value: float, settled: float, by: float = 0.1) -> bool:
    """Whether a setting moved far enough from the one in effect to be worth an action."""
    return abs(value - settled) > by * max(abs(settled), 1e-12)


def _is_number(value: float) -> bool:
    return abs(value) < float("inf")  # false for NaN, too
