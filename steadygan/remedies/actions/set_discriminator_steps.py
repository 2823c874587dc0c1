"""Change how often D steps for each of G's steps, in a loop of ours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.errors import ActionError
from steadygan.remedies.action import Action, Json, shown
from steadygan.remedies.own_loop import own_loop_of

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class SetDiscriminatorSteps(Action):
    """D takes ``num`` steps on fresh batches for each step of G.

    More for a D that cannot follow G, a Wasserstein critic above all; one where D overpowers. Unlike ``SkipSteps`` it
    gives D more data for each of G's steps. Cost: num + 1 gradients a step.

    Args:
        num: within 1 to 8, or the recipe's where that is more.

    Raises:
        ActionError: on a foreign loop, beyond the limits, or under a rule that moves both players at once.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, algorithm 1; Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875,
    algorithm 1 (5 steps).
    """

    num: int

    def apply(self, game: "TreatedGame") -> "SetDiscriminatorSteps":
        """Set the number."""
        knob = own_loop_of(game, "SetDiscriminatorSteps").rule
        now = knob.d_steps
        if now is None:
            raise ActionError(
                f"D's steps need an alternating rule, got {knob.name}, which moves both players at once; "
                "change the rates instead."
            )
        knob.set_d_steps(self.num)
        return SetDiscriminatorSteps(now, before=self.num, after=now)

    def reading(self, game: "TreatedGame") -> Json:
        """The number now."""
        return own_loop_of(game, "SetDiscriminatorSteps").rule.d_steps

    def target(self, game: "TreatedGame") -> Json:
        """The number to be."""
        return self.num

    def describe(self) -> str:
        """``discriminator steps 1 → 2 for each of the generator's``."""
        before = "" if self.before is None else f"{shown(self.before)} → "
        return f"discriminator steps {before}{self.num} for each of the generator's"
