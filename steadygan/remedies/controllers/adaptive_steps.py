"""Fewer steps for the player whose loss changes less."""

from collections.abc import Mapping

from steadygan.errors import ConfigError
from steadygan.remedies.actions import SkipSteps
from steadygan.remedies.controllers.controller import Controller, clamped, differs
from steadygan.types import StateDict

_LOWEST = 1 / 16
_TINY = 1e-8


class AdaptiveSteps(Controller):
    """D steps as often as its loss still changes, compared with G's.

    r_p = EMA |ΔL_p| / EMA |L_p|,   share of D's steps = clip(r_D / (balance · r_G), 1/16, 1)

    Where D's loss has settled and G's has not, D waits for G. Not for losses without a scale of their own
    near 0 (relativistic hinge at its end). Cost: none.

    Args:
        balance: λ > 0, how much more D's loss must change than G's to keep all of its steps.
        memory: of the running means, in [0, 1).

    Source: Ouyang, Key (2020), arXiv 2008.12463, algorithm 1: update D if r_D > λ·r_G, else G. Differs: running means,
    a share of D's steps for the decision at each one, and G is never held.
    """

    needs = frozenset({"loss_d", "loss_g"})

    def __init__(self, balance: float = 1.0, memory: float = 0.95) -> None:
        if balance <= 0 or not 0 <= memory < 1:
            raise ConfigError(
                f"AdaptiveSteps needs balance > 0 and memory within 0 to 1, got {balance} and {memory}; 1 and 0.95 "
                "suit most."
            )
        self.balance, self.memory = balance, memory
        self._latest: dict[str, float] = {}
        self._changes: dict[str, float] = {}
        self._sizes: dict[str, float] = {}
        self._count = 0
        self._share = 1.0

    def respond(self, signals: Mapping[str, float]) -> SkipSteps | None:
        """Another share, once it differs by a tenth."""
        for name, value in signals.items():
            change = abs(value - self._latest.get(name, value))
            self._changes[name] = self._mean(self._changes.get(name, change), change)
            self._sizes[name] = self._mean(self._sizes.get(name, abs(value)), abs(value))
            self._latest[name] = value
        self._count += 1
        if self._count < 1 / (1 - self.memory):
            return None
        rates = {n: self._changes[n] / max(self._sizes[n], _TINY) for n in self.needs}
        share = clamped(rates["loss_d"] / max(self.balance * rates["loss_g"], _TINY), _LOWEST, 1.0)
        if not differs(share, self._share):
            return None
        self._share = share
        return SkipSteps("d", share)

    def state_dict(self) -> StateDict:
        """Running means and the share in effect."""
        return {
            "latest": dict(self._latest),
            "changes": dict(self._changes),
            "sizes": dict(self._sizes),
            "count": self._count,
            "share": self._share,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._latest, self._changes = dict(state["latest"]), dict(state["changes"])
        self._sizes = dict(state["sizes"])
        self._count, self._share = int(state["count"]), float(state["share"])

    def _mean(self, mean: float, value: float) -> float:
        return self.memory * mean + (1 - self.memory) * value
