"""A factor on a player's learning rate, whatever the rate is at each step."""

import math

from steadygan.errors import ActionError
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.knob import Knob
from steadygan.remedies.ownership import Ownership
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict

LOWEST, HIGHEST = 1 / 16, 2.0
FAR = 1e-2  # of the other player's rate: beyond any two time scales that are used on purpose


class Rate(Knob):
    """Multiplies the learning rate of a player's groups around each step and puts it back after it.

    So the loop's own schedule, however it is written, goes on: it never sees the factor, and the factor
    never compounds.

    Args:
        player: whose.
        owners: of the optimizers.

    Attributes:
        factor: of the loop's rate.
        unit: what counts as a factor of 1; see ``set``.
        start: the loop's rate at first.
        others: the other player's rate at first, where there are two.
    """

    def __init__(self, player: Player, owners: Ownership) -> None:
        self.player = player
        self._owners = owners
        self.factor = self.unit = 1.0
        self.start = self.rate()
        self.others: float | None = None

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

    def scaled(self, by: float) -> float:
        """The factor after so much more of it, kept within 1/16 to 2 times the unit."""
        return min(HIGHEST * self.unit, max(LOWEST * self.unit, self.factor * by))

    def set(self, factor: float) -> None:
        """Use another factor from the next step on.

        The **unit** of factors is 1, the run's own rate. It is another in two cases alone: where the loop has changed
        its rate since its start, a factor that leads back there; where the rate is less than a hundredth of the other
        player's first, one that lifts it there. The unit nearest to the factor counts.

        Raises:
            ActionError: for a factor beyond 1/16 to 2 times each of these units; or where the optimizer has no rate.
        """
        name = PLAYER_NAMES[self.player]
        self._owners.groups(self.player)
        rate = self.rate()
        units = [unit for unit in self._units(rate) if LOWEST <= factor / unit <= HIGHEST]
        if not units:
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
        self.unit = min(units, key=lambda unit: abs(math.log(factor / unit)))

    def _units(self, rate: float | None) -> tuple[float, ...]:
        units = [1.0]
        if rate and self.start:
            units.append(self.start / rate)
        if rate and self.others and rate <= FAR * self.others:
            units.append(self.others / rate)
        return tuple(units)

    def begin(self, step: Step) -> None:
        """Scale what the loop's schedule gives."""
        if step.optimizer is not self._owners.by_player[self.player]:
            return
        for group in self._owners.groups(self.player):
            step.lend(group, "lr", group["lr"] * self.factor)

    def close(self) -> None:
        """The factor is 1."""
        self.factor = self.unit = 1.0

    def state_dict(self) -> StateDict:
        """The factor with its unit, and the rates at first."""
        return {
            "factor": self.factor,
            "unit": self.unit,
            "start": self.start,
            "others": self.others,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.factor, self.unit = float(state["factor"]), float(state["unit"])
        self.start, self.others = state["start"], state["others"]
