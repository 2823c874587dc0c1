"""Let both players move by another update rule, in a loop of ours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json, shown
from steadygan.remedies.own_loop import own_loop_of

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class SwitchRule(Action):
    """The update rule is another one from the next step on; optimizers with their moments, schedules and clipping stay.

    For games that orbit though they are damped: lookahead averages an orbit away, extragradient and its relatives damp
    the rotation. No rule mends momentum that is too large, which goes through the same optimizer. What a rule remembers
    begins anew. Cost: that of the rule; 2 (extragradient) to 1 times the gradients of simultaneous steps.

    Args:
        name: the recipe's own rule, or ``alternating``, ``simultaneous``, ``lookahead``, ``extragradient``,
            ``past_extragradient`` or ``optimistic``, each with its own options; D's steps go along.

    Raises:
        ActionError: on a foreign loop, or for another name.

    Source: Chavdarova et al. (2021), arXiv 2006.14567; Gidel et al. (2019), arXiv 1802.10551; Daskalakis et al. (2018),
    arXiv 1711.00141.
    """

    name: str

    def apply(self, game: "TreatedGame") -> "SwitchRule":
        """Exchange it."""
        knob = own_loop_of(game, "SwitchRule").rule
        undo = SwitchRule(knob.name, before=self.name, after=knob.name)
        with game.turning():
            knob.set(self.name)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The rule now."""
        return own_loop_of(game, "SwitchRule").rule.name

    def target(self, game: "TreatedGame") -> Json:
        """The one to be."""
        return self.name

    def describe(self) -> str:
        """``update rule alternating → lookahead``."""
        before = "" if self.before is None else f"{shown(self.before)} → "
        return f"update rule {before}{self.name}"
