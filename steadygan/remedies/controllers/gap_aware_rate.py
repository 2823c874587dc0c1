"""D's learning rate by the gap between its loss and the loss of an ideal game."""

from collections.abc import Mapping

from steadygan.errors import ConfigError
from steadygan.remedies.actions import ScaleLearningRate
from steadygan.remedies.controllers.controller import Controller, differs
from steadygan.types import StateDict


class GapAwareRate(Controller):
    """D learns slower where it wins too clearly, and faster where it loses.

    With L the running mean of D's loss and x = |L − L*|:

        factor = min(2^(x/reach), 2)        where L ≥ L*
                 max(0.1^(x/reach), 0.1)    below

    L* is D's loss once G's samples are the data: log 4 for the sum of two cross-entropies, 2 for hinge, 0.5
    for least squares, log 2 for relativistic pairing; for Wasserstein it is 0, and then ``reach`` must be
    given. Not beside penalties in the logged loss: they move L*. Cost: none.

    Args:
        ideal: L*.
        reach: the gap at which the factor is at its end; None: ideal / 10.
        memory: of the running mean, in [0, 1).

    Source: Hazimeh, Ponomareva (2023), arXiv 2302.00089, section 4 and its default hyper-parameters.
    """

    needs = frozenset({"loss_d"})

    def __init__(self, ideal: float, reach: float | None = None, memory: float = 0.95) -> None:
        reach = abs(ideal) / 10 if reach is None else reach
        if reach <= 0 or not 0 <= memory < 1:
            raise ConfigError(
                f"GapAwareRate needs reach > 0 and memory within 0 to 1, got {reach} and {memory}; give a reach where "
                "the ideal loss is 0."
            )
        self.ideal, self.reach, self.memory = ideal, reach, memory
        self._loss: float | None = None
        self._factor = 1.0

    def respond(self, signals: Mapping[str, float]) -> ScaleLearningRate | None:
        """Another factor, once it differs by a tenth."""
        loss = signals["loss_d"]
        mean = loss if self._loss is None else self._loss
        self._loss = self.memory * mean + (1 - self.memory) * loss
        exponent = min(abs(self._loss - self.ideal) / self.reach, 1.0)
        factor = 2.0**exponent if self._loss >= self.ideal else 0.1**exponent
        if not differs(factor, self._factor):
            return None
        self._factor = factor
        return ScaleLearningRate("d", factor)

    def state_dict(self) -> StateDict:
        """The running mean and the factor in effect."""
        return {"loss": self._loss, "factor": self._factor}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._loss, self._factor = state["loss"], float(state["factor"])
