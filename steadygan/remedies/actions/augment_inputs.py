"""Augment what D is shown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.errors import ActionError
from steadygan.remedies.action import Action, Json, shown

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class AugmentInputs(Action):
    """Each image that D is shown in training is flipped and shifted with probability p, on both sides.

    For a discriminator that learns its training images by heart. Gradients flow through, and both sides are
    changed alike in both players' steps, so that G does not learn the changes as long as p stays below 0.8,
    the limit. Not for data that a flip or shift makes wrong (text, aligned faces: choose the kinds). Cost: a
    few passes over the batch, each time D runs.

    Args:
        probability: p of each augmentation for each image, within 0 to 0.8; 0 is off.
        kinds: some of ``flip``, ``crop``.

    Raises:
        ActionError: beyond the limits, or where reals are no images.

    Source: Karras et al. (2020), arXiv 2006.06676, sections 2 and 3; Zhao et al. (2020), arXiv 2006.10738.
    """

    probability: float
    kinds: tuple[str, ...] = ("flip", "crop")

    def apply(self, game: "TreatedGame") -> "AugmentInputs":
        """Set the probability."""
        knob, event = game.augment, game.real.event
        if self.probability and (event is None or len(event) != 3):
            raise ActionError(
                "augmentation needs images (channels, height, width) as real=, got "
                f"{'none' if event is None else event}; treat another way."
            )
        undo = AugmentInputs(
            knob.probability, knob.kinds, before=self.target(game), after=self.reading(game)
        )
        with game.turning():
            knob.set(self.probability, tuple(self.kinds))
        return undo

    def reading(self, game: "TreatedGame") -> Json:
        """The probability now."""
        return game.augment.probability

    def target(self, game: "TreatedGame") -> Json:
        """The probability to be."""
        return self.probability

    def describe(self) -> str:
        """``augment D's inputs (flip, crop) with probability 0.2``."""
        if not self.probability:
            return "no augmentation of D's inputs"
        return (
            f"augment D's inputs ({', '.join(self.kinds)}) with probability {shown(self.probability)} "
            f"(before: {shown(self.before)})"
        )
