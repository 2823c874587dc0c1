"""A gradient penalty as strong as D's slope asks for."""

import math
from collections.abc import Mapping

from steadygan.errors import ConfigError
from steadygan.remedies.actions import AddPenalty
from steadygan.remedies.controllers.controller import Controller, clamped, differs
from steadygan.types import StateDict

_SPAN = 30.0


class SlopePenalty(Controller):
    """R1's weight rises while D is steeper at reals than wanted, and falls while it is flatter.

    log w ← clip(log w + gain·(‖∇ₓD(x)‖²/target² − 1), log w₀ ± log 30)

    The weight is the multiplier of the constraint ‖∇ₓD‖² ≤ target², followed uphill. One answer's move is at
    most a factor of 2. Cost: that of the penalty.

    Args:
        target: of D's slope at reals, > 0 [logits per unit of x].
        weight: w₀ > 0, to begin with.
        gain: > 0.
        every: D's steps between two penalties.

    Source: after Mroueh et al. (2018), arXiv 1711.04894, section 3 (a multiplier for E‖∇f‖², by dual ascent). Differs:
    in the logarithm, clamped, one-sided in effect as the penalty only flattens.
    """

    needs = frozenset({"input_grad_real"})

    def __init__(
        self, target: float, weight: float = 0.1, gain: float = 0.1, every: int = 16
    ) -> None:
        if target <= 0 or weight <= 0 or gain <= 0:
            raise ConfigError(
                f"SlopePenalty needs target, weight and gain > 0, got {target}, {weight} and {gain}; the data's own "
                "scale says which slope is right."
            )
        self.target, self.weight, self.gain, self.every = target, weight, gain, every
        self._log = math.log(weight)
        self._settled = 0.0

    def respond(self, signals: Mapping[str, float]) -> AddPenalty | None:
        """Another weight, once it differs by a tenth."""
        excess = (signals["input_grad_real"] / self.target) ** 2 - 1
        move = clamped(self.gain * excess, -math.log(2), math.log(2))
        first, span = math.log(self.weight), math.log(_SPAN)
        self._log = clamped(self._log + move, first - span, first + span)
        # The first one is w₀ itself: the limits are counted from it.
        weight = self.weight if self._settled == 0.0 else math.exp(self._log)
        weight = clamped(weight, self.weight / _SPAN, self.weight * _SPAN)
        if not differs(weight, self._settled):
            return None
        self._settled = weight
        return AddPenalty("R1", weight, every=self.every)

    def state_dict(self) -> StateDict:
        """The multiplier and the weight in effect."""
        return {"log": self._log, "settled": self._settled}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._log, self._settled = float(state["log"]), float(state["settled"])
