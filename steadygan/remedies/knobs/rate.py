"""A factor on a player's learning rate, whatever the rate is at each step."""

from steadygan.errors import ActionError
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.knob import Knob
from steadygan.remedies.ownership import Ownership
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict

LOWEST, HIGHEST = 1 / 16, 2.0


class Rate(Knob):
    """Multiplies the learning rate of a player's groups around each step and puts it back after it.

    So the loop's own schedule, however it is written, goes on: it never sees the factor, and the factor
    never compounds.

    Args:
        player: whose.
        owners: of the optimizers.
    """

    def __init__(self, player: Player, owners: Ownership) -> None:
        self.player = player
        self._owners = owners
        self.factor = 1.0
        self.start = self.rate()

    @property
    def is_on(self) -> bool:
        """Whether the factor is not 1."""
        return self.factor != 1.0

    def rate(self) -> float | None:
        """The first of the player's learning rates as the loop has it now; None where it has none of its own."""
        try:
            groups = self._owners.groups(self.player)
        except ActionError:
            return None
        rate = groups[0].get("lr") if groups else None
        return None if rate is None else float(rate)

    def set(self, factor: float) -> None:
        """Use another factor from the next step on.

        Raises:
            ActionError: where neither the factor nor the rate that it gives, as a multiple of the run's
                first, is within 1/16 to 2; or where the optimizer has no rate.
        """
        name = PLAYER_NAMES[self.player]
        self._owners.groups(self.player)
        rate = self.rate()
        # A loop that has raised its rate a hundredfold is led back to where it began.
        of_start = factor * rate / self.start if rate and self.start else factor
        if not any(LOWEST <= f <= HIGHEST for f in (factor, of_start)):
            raise ActionError(
                f"the {name}'s learning rate must stay within 1/16 to 2 times the run's own, got a factor "
                f"of {factor}; choose one in between."
            )
        if rate is None:
            raise ActionError(
                f"the {name}'s optimizer must have a learning rate, got "
                f"{type(self._owners.by_player[self.player]).__name__} without one; treat another way."
            )
        self.factor = float(factor)

    def begin(self, step: Step) -> None:
        """Scale what the loop's schedule gives."""
        if step.optimizer is not self._owners.by_player[self.player]:
            return
        for group in self._owners.groups(self.player):
            step.lend(group, "lr", group["lr"] * self.factor)

    def close(self) -> None:
        """The factor is 1."""
        self.factor = 1.0

    def state_dict(self) -> StateDict:
        """The factor, and the rate at first."""
        return {"factor": self.factor, "start": self.start}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.factor, self.start = float(state["factor"]), state["start"]
