"""Gradient spikes cut off by their z-score, from the first steps on."""

from collections.abc import Mapping

from steadygan.errors import ConfigError
from steadygan.remedies.actions import ClipGradient
from steadygan.remedies.controllers.controller import Controller
from steadygan.types import Player, StateDict


class SpikeClipping(Controller):
    """Switches on clipping by z-score for one player, which then follows every step by itself.

    It clips a few per cent of a healthy GAN's steps, because their norms have heavy tails (4% at 2.5 in our
    runs): a higher threshold is a seat belt, the paper's is a treatment. Cost: one read of the gradients.

    Args:
        player: whose.
        threshold: z at which a norm is a spike, > 0.

    Source: Kumar et al. (2025), arXiv 2504.02507 (z 2.5, α 0.97, warm-up 25).
    """

    needs: frozenset[str] = frozenset()

    def __init__(self, player: Player, threshold: float = 2.5) -> None:
        if threshold <= 0:
            raise ConfigError(
                f"SpikeClipping.threshold must be > 0, got {threshold}; the paper's is 2.5."
            )
        self.player: Player = player
        self.threshold = threshold
        self._is_on = False

    def respond(self, signals: Mapping[str, float]) -> ClipGradient | None:
        """Once."""
        if self._is_on:
            return None
        self._is_on = True
        return ClipGradient(self.player, self.threshold, "zscore")

    def state_dict(self) -> StateDict:
        """Whether it is on."""
        return {"is_on": self._is_on}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._is_on = bool(state["is_on"])
