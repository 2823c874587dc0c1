"""Differentiable augmentation of everything that D is shown in training, with a probability that can be turned."""

import torch
from torch import Tensor, nn

from steadygan.data.augmentation import Augmentation, HorizontalFlip, RandomCrop, sometimes
from steadygan.errors import ActionError
from steadygan.remedies.doorway import Doorway
from steadygan.remedies.knob import Knob
from steadygan.types import StateDict

HIGHEST = 0.8
KINDS: dict[str, Augmentation] = {"flip": HorizontalFlip(), "crop": RandomCrop(pad=4)}


class Augment(Knob):
    """Changes each image by each augmentation with probability p, reals and fakes alike, in D's and in G's step.

    Gradients flow through to G. Below p = 1 the changes are invertible in distribution, and G does not learn
    them; the limit of 0.8 keeps away from where that ends.

    Args:
        networks: D as the loop calls it, and inside of its wrappers.
        seed: of the random numbers, which are its own.
    """

    def __init__(self, networks: tuple[nn.Module, nn.Module], seed: int) -> None:
        self._door = Doorway(networks, self._changed)
        self._seed = seed
        self._num_passes = 0
        self.probability = 0.0
        self.kinds: tuple[str, ...] = tuple(KINDS)

    @property
    def is_on(self) -> bool:
        """False: it has nothing to do at optimizer steps."""
        return False

    def set(self, probability: float, kinds: tuple[str, ...]) -> None:
        """Use another probability from the next pass on.

        Raises:
            ActionError: beyond 0.8, or for an augmentation that there is not.
        """
        check_augmentation(probability, kinds)
        self.probability, self.kinds = float(probability), tuple(kinds)
        self._door.set(self.probability > 0)

    def close(self) -> None:
        """No augmentation."""
        self.probability = 0.0
        self._door.set(False)

    def state_dict(self) -> StateDict:
        """Setting, and the place in the stream of random numbers."""
        return {
            "probability": self.probability,
            "kinds": list(self.kinds),
            "passes": self._num_passes,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._num_passes = int(state["passes"])
        self.set(state["probability"], tuple(state["kinds"]))

    def _changed(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            return x
        self._num_passes += 1
        draws = torch.Generator(x.device).manual_seed(self._seed * 1_000_003 + self._num_passes)
        return sometimes(x, [KINDS[kind] for kind in self.kinds], self.probability, draws)


def check_augmentation(probability: float, kinds: tuple[str, ...]) -> None:
    """Raise ActionError for a probability beyond 0.8, or kinds of augmentation that there are not."""
    if not 0 <= probability <= HIGHEST:
        raise ActionError(
            f"the probability of augmentation must be within 0 to {HIGHEST}, got {probability}; above, the "
            "generator learns the augmentations."
        )
    if not kinds or not set(kinds) <= set(KINDS):
        raise ActionError(
            f"augmentations must be some of {', '.join(KINDS)}, got {', '.join(kinds) or 'none'}; "
            "choose from those."
        )
