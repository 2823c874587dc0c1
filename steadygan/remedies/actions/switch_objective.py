"""Let both players minimise something else, in a loop of ours."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from steadygan.remedies.action import Action, Json, shown
from steadygan.remedies.own_loop import own_loop_of

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class SwitchObjective(Action):
    """The game's objective is another one from the next step on; networks and optimizers go on.

    Away from a loss that saturates, or that a critic without bound cannot carry. The losses' levels change, so that
    curves before and after cannot be compared; D needs some steps to find the new logits. Not within a fine-tuned run.
    Cost: that of the objective; a relativistic one needs D on reals in G's step as well.

    Args:
        name: as recipes write it (``relativistic``).
        options: of the objective; {}: its own.

    Raises:
        ActionError: on a foreign loop, for an unknown name or option.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, section 3 (from minimax to non-saturating); Huang et al. (2024),
    arXiv 2501.05441 (the relativistic objective with R1 and R2).
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    def apply(self, game: "TreatedGame") -> "SwitchObjective":
        """Exchange it."""
        knob = own_loop_of(game, "SwitchObjective").objective
        undo = SwitchObjective(knob.name, knob.options, before=self.name, after=knob.name)
        knob.set(self.name, self.options)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The objective now."""
        return own_loop_of(game, "SwitchObjective").objective.name

    def target(self, game: "TreatedGame") -> Json:
        """The one to be."""
        return self.name

    def describe(self) -> str:
        """``objective minimax → non_saturating``."""
        before = "" if self.before is None else f"{shown(self.before)} → "
        return f"objective {before}{self.name}"
