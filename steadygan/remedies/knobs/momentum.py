"""A bound on a player's momentum."""

from typing import Any

from steadygan.errors import ActionError
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.knob import Knob
from steadygan.remedies.ownership import Ownership
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict


class Momentum(Knob):
    """Bounds a player's momentum around each step, Adam's first β or SGD's ``momentum``, and puts it back after it.

    Args:
        player: whose.
        owners: of the optimizers.
    """

    def __init__(self, player: Player, owners: Ownership) -> None:
        self.player = player
        self._owners = owners
        self.limit: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is a bound."""
        return self.limit is not None

    def momentum(self) -> float | None:
        """As the loop has it now; None where the optimizer has none."""
        try:
            groups = self._owners.groups(self.player)
        except ActionError:
            return None
        return _momentum_of(groups[0]) if groups else None

    def set(self, limit: float | None) -> None:
        """Use another bound from the next step on; None for none. An optimizer without momentum is within any.

        Raises:
            ActionError: for a bound outside [0, 1).
        """
        name = PLAYER_NAMES[self.player]
        if limit is not None and not 0 <= limit < 1:
            raise ActionError(
                f"the {name}'s momentum must be bounded within 0 to 1, got {limit}; use 0 for none."
            )
        self.limit = limit

    def begin(self, step: Step) -> None:
        """Bound what the loop has set."""
        if self.limit is None or step.optimizer is not self._owners.by_player[self.player]:
            return
        for group in self._owners.groups(self.player):
            momentum = _momentum_of(group)
            if momentum is None or momentum <= self.limit:
                continue
            if "betas" in group:
                step.lend(group, "betas", (self.limit, *group["betas"][1:]))
            else:
                step.lend(group, "momentum", self.limit)
                if group.get("nesterov"):
                    step.lend(group, "nesterov", self.limit > 0)

    def close(self) -> None:
        """No bound."""
        self.limit = None

    def state_dict(self) -> StateDict:
        """The bound."""
        return {"limit": self.limit}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.limit = state["limit"]


def _momentum_of(group: dict[str, Any]) -> float | None:
    betas = group.get("betas")
    found = betas[0] if isinstance(betas, (tuple, list)) and betas else group.get("momentum")
    return None if found is None else float(found)
