"""BEGAN's proportional control of the two players' balance."""

from collections.abc import Mapping

from steadygan.errors import ConfigError
from steadygan.remedies.actions import ScaleLearningRate
from steadygan.remedies.controllers.controller import Controller, clamped, differs
from steadygan.types import StateDict

_LOWEST = 1 / 16


class Balance(Controller):
    """Holds the ratio of what D makes of fakes to what it makes of reals at a target, by D's learning rate.

    k ← clip(k + gain·(diversity·L(x) − L(G(z))), 0, 1),   D's rate × max(k, 1/16)
    convergence = L(x) + |diversity·L(x) − L(G(z))|

    L is an energy, low on reals: BEGAN's reconstruction error, or any part of D's loss that has this meaning,
    logged as ``energy_real`` and ``energy_fake``. Cost: none.

    Args:
        diversity: γ in (0, 1]; lower asks for quality, higher for diversity.
        gain: λ > 0 per iteration.
        start: k at first, in [0, 1].

    Source: Berthelot, Schumm, Metz (2017), arXiv 1703.10717, section 3.4. Differs: k weighs D's whole step instead of
    the fake half of its loss, which a foreign loop does not show, and begins at 1, where nothing is changed.
    """

    needs = frozenset({"energy_real", "energy_fake"})

    def __init__(self, diversity: float = 0.5, gain: float = 1e-3, start: float = 1.0) -> None:
        if not 0 < diversity <= 1 or gain <= 0 or not 0 <= start <= 1:
            raise ConfigError(
                f"Balance needs diversity within 0 to 1, gain > 0 and start within 0 to 1, got {diversity}, {gain} and "
                f"{start}; 0.5, 0.001 and 1 suit most."
            )
        self.diversity, self.gain = diversity, gain
        self._k, self._factor = start, 1.0
        self.convergence: float | None = None

    def respond(self, signals: Mapping[str, float]) -> ScaleLearningRate | None:
        """Another factor, once it differs by a tenth."""
        gap = self.diversity * signals["energy_real"] - signals["energy_fake"]
        self.convergence = signals["energy_real"] + abs(gap)
        self._k = clamped(self._k + self.gain * gap, 0.0, 1.0)
        factor = max(self._k, _LOWEST)
        if not differs(factor, self._factor):
            return None
        self._factor = factor
        return ScaleLearningRate("d", factor)

    def state_dict(self) -> StateDict:
        """k, and the factor in effect."""
        return {"k": self._k, "factor": self._factor, "convergence": self.convergence}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._k, self._factor = float(state["k"]), float(state["factor"])
        self.convergence = state["convergence"]
