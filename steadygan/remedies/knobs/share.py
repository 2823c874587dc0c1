"""The share of its optimizer steps in which a player moves."""

import math

from steadygan.errors import ActionError
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.knob import Knob
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict

_LOWEST = 1 / 16
_ROUNDING = 1e-9


class Share(Knob):
    """Lets a player move in a share of its steps, evenly spread; the others are no-ops for it.

    The player moves in its step n (from 1) where ⌊n·share⌋ > ⌊(n−1)·share⌋.

    Args:
        player: whose.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self.share = 1.0
        self.elapsed = 0
        self.num_skipped = 0

    @property
    def is_on(self) -> bool:
        """Whether steps are skipped."""
        return self.share < 1.0

    def set(self, share: float, elapsed: int = 0) -> None:
        """Use another share from the next step on.

        Raises:
            ActionError: outside of 1/16 to 1.
        """
        if not _LOWEST <= share <= 1.0:
            raise ActionError(
                f"the share of steps in which the {PLAYER_NAMES[self.player]} moves must be within 1/16 to 1, "
                f"got {share}; 1 is all of them."
            )
        self.share, self.elapsed = float(share), elapsed

    def before(self, step: Step) -> None:
        """Hold the player if it is not its turn."""
        if step.moves(self.player) and self._turns(self.elapsed + 1) == self._turns(self.elapsed):
            step.hold(self.player)

    def after(self, step: Step) -> None:
        """Count the steps that would have moved it."""
        if step.moving(self.player):
            self.num_skipped += self._turns(self.elapsed + 1) == self._turns(self.elapsed)
            self.elapsed += 1

    def close(self) -> None:
        """All steps again."""
        self.share, self.elapsed = 1.0, 0

    def state_dict(self) -> StateDict:
        """Share and counts."""
        return {"share": self.share, "elapsed": self.elapsed, "skipped": self.num_skipped}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.share, self.elapsed = float(state["share"]), int(state["elapsed"])
        self.num_skipped = int(state["skipped"])

    def _turns(self, steps: int) -> int:
        return math.floor(steps * self.share + _ROUNDING)
