"""Bound the norm of a player's gradient."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import PLAYER_NAMES, Action, Json, shown
from steadygan.remedies.knobs.clip import Rule
from steadygan.types import Player

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class ClipGradient(Action):
    """A player's gradient is shortened to a bound where it is longer, in its step only.

    g ← g · min(1, c / ‖g‖),  c by the rule:

        fixed    c = limit                          [loss units per weight unit]
        median   c = limit · median of the last 256 norms (after clipping)
        zscore   with z = (‖g‖ − μ)/σ > limit:  c = μ + limit²/z · σ

    A seat belt for rare bad batches and explosions; one that acts all the time is itself a symptom. The last
    two follow the run's own history: 3 is a limit that leaves ordinary noise alone for the median, 2.5 the
    paper's for the z-score. Cost: one read of the gradients; for the rules from history each step waits for
    the device.

    Args:
        player: whose.
        limit: > 0; None: no bound.
        rule: where the bound comes from.

    Raises:
        ActionError: for another limit or rule.

    Source: fixed: Pascanu, Mikolov, Bengio (2013), arXiv 1211.5063, algorithm 1. median: after Seetharaman et al.
    (2020), arXiv 2007.14469, who clip to a percentile of all past norms; we take a multiple of the median of recent
    clipped ones. zscore: Kumar et al. (2025), arXiv 2504.02507 (α 0.97, z 2.5, warm-up 25).
    """

    player: Player
    limit: float | None
    rule: Rule = "fixed"

    def apply(self, game: "TreatedGame") -> "ClipGradient":
        """Set the bound."""
        knob = game.clips[self.player]
        undo = ClipGradient(
            self.player,
            knob.limit,
            knob.rule,
            before=self.target(game),
            after=self.reading(game),
        )
        with game.turning():
            knob.set(self.rule, self.limit)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The limit now."""
        return game.clips[self.player].limit

    def target(self, game: "TreatedGame") -> Json:
        """The limit to be."""
        return self.limit

    def describe(self) -> str:
        """``clip the discriminator's gradient at 3 × its median (before: off)``."""
        name = PLAYER_NAMES[self.player]
        if self.limit is None:
            return f"stop clipping the {name}'s gradient"
        unit = {"fixed": "", "median": " × its median", "zscore": " standard deviations"}[self.rule]
        return f"clip the {name}'s gradient at {shown(self.limit)}{unit} (before: {shown(self.before)})"
