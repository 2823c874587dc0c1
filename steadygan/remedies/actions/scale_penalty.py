"""Change the weight of a penalty in D's loss, in a loop of ours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json, shown
from steadygan.remedies.own_loop import own_loop_of

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class ScalePenalty(Action):
    """A penalty of the recipe with another weight, or R1 or R2 where the recipe has none.

    L_D ← L_D + weight · every · mean(penalty)   at steps divisible by ``every``

    In a loop of ours instead of ``AddPenalty``: it shares the batch and D's pass, is part of every gradient that an
    update rule asks for, and its term is on record. Stronger for games that orbit, diverge or collapse; weaker for a D
    that it holds flat. Cost: that of the penalty; one that is there already costs nothing more.

    Args:
        kind: as recipes write it: one of the recipe's, or ``r1`` or ``r2``.
        weight: 0 is off; within 30 times of the recipe's, or of the first one where the recipe has none.
        every, relative: of one that is added; the recipe's own keep theirs.

    Raises:
        ActionError: on a foreign loop, beyond the limits, for another kind, or under batch normalisation in D.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, eqs. 9 and 10. The limit is ours.
    """

    kind: str
    weight: float
    every: int = 4
    relative: bool = True

    def apply(self, game: "TreatedGame") -> "ScalePenalty":
        """Set the weight."""
        knob = own_loop_of(game, "ScalePenalty").penalties
        there = knob.in_effect.get(self.kind)
        undo = ScalePenalty(
            self.kind,
            0.0 if there is None else there.weight,
            self.every if there is None else there.every,
            self.relative if there is None else there.relative,
            before=self.target(game),
            after=self.reading(game),
        )
        knob.set(self.kind, self.weight, every=self.every, relative=self.relative)
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The weight now."""
        return own_loop_of(game, "ScalePenalty").penalties.weight(self.kind)

    def target(self, game: "TreatedGame") -> Json:
        """The weight to be."""
        return self.weight

    def describe(self) -> str:
        """``r1 0.01 → 0.05 in D's loss``."""
        before = "" if self.before is None else f"{shown(self.before)} → "
        return f"{self.kind} {before}{shown(self.weight)} in D's loss"
