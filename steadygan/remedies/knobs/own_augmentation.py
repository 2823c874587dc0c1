"""Differentiable augmentation inside the game of a loop of ours."""

from torch import Tensor

from steadygan.data.augmentation import sometimes
from steadygan.errors import ActionError
from steadygan.game import Game
from steadygan.remedies.knob import Knob
from steadygan.remedies.knobs.augment import KINDS, check_augmentation
from steadygan.types import StateDict


class OwnAugmentation(Knob):
    """Changes each image that the game shows D by each augmentation with probability p, reals and fakes alike.

    Wherever the losses look at D: also at reals that a relativistic generator's loss compares with. Its random numbers
    are torch's, which our loop seeds anew for each step: there is no place in a stream to remember.

    Args:
        game: the trainer's.
        event: the shape of a sample.
    """

    def __init__(self, game: Game, event: tuple[int, ...]) -> None:
        self._game, self._event = game, event
        self.probability = 0.0
        self.kinds: tuple[str, ...] = tuple(KINDS)

    @property
    def is_on(self) -> bool:
        """False: it has nothing to do at optimizer steps."""
        return False

    def set(self, probability: float, kinds: tuple[str, ...]) -> None:
        """Use another probability from the next step on.

        Raises:
            ActionError: beyond 0.8, for an augmentation that there is not, or for samples that are no images.
        """
        check_augmentation(probability, kinds)
        if probability and len(self._event) != 3:
            raise ActionError(
                f"augmentation needs images (channels, height, width), got samples of shape {self._event}; "
                "treat another way."
            )
        self.probability, self.kinds = float(probability), tuple(kinds)
        self._game.augment = self._changed if self.probability else None

    def close(self) -> None:
        """No augmentation."""
        self.set(0.0, self.kinds)

    def state_dict(self) -> StateDict:
        """Probability and kinds."""
        return {"probability": self.probability, "kinds": list(self.kinds)}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.set(float(state["probability"]), tuple(state["kinds"]))

    def _changed(self, x: Tensor) -> Tensor:
        return sometimes(x, [KINDS[kind] for kind in self.kinds], self.probability)
