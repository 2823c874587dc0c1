"""Augment what D is shown by the game of a loop of ours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.remedies.action import Action, Json, shown
from steadygan.remedies.own_loop import own_loop_of

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class SetAugmentation(Action):
    """Each image that the losses show D is changed with probability p, on both sides and in both players' steps.

    In a loop of ours instead of ``AugmentInputs``: it reaches every look of the losses at D, the reals in a
    relativistic generator's loss among them, and every gradient that an update rule asks for. For a D that learns its
    images by heart; not for data that a flip or shift makes wrong (choose the kinds). Cost: some passes
    over the batch.

    Args:
        probability: p of each augmentation for each image, within 0 to 0.8; 0 is off.
        kinds: some of ``flip``, ``crop``.

    Raises:
        ActionError: on a foreign loop, beyond the limits, or for samples that are no images.

    Source: Zhao et al. (2020), arXiv 2006.10738, eqs. 4 to 6; Karras et al. (2020), arXiv 2006.06676, section 2.
    """

    probability: float
    kinds: tuple[str, ...] = ("crop",)

    def apply(self, game: "TreatedGame") -> "SetAugmentation":
        """Set the probability."""
        knob = own_loop_of(game, "SetAugmentation").augmentation
        undo = SetAugmentation(
            knob.probability, knob.kinds, before=self.target(game), after=self.reading(game)
        )
        knob.set(self.probability, tuple(self.kinds))
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The probability now."""
        return own_loop_of(game, "SetAugmentation").augmentation.probability

    def target(self, game: "TreatedGame") -> Json:
        """The probability to be."""
        return self.probability

    def describe(self) -> str:
        """``augmentation (crop) 0 → 0.6 of all that D is shown``."""
        before = "" if self.before is None else f"{shown(self.before)} → "
        return f"augmentation ({', '.join(self.kinds)}) {before}{shown(self.probability)} of all that D is shown"
