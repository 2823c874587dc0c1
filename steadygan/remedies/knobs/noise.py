"""Gaussian noise on everything that D is shown in training, fading."""

import torch
from torch import Tensor, nn

from steadygan.errors import ActionError
from steadygan.remedies.doorway import Doorway
from steadygan.remedies.knob import Knob
from steadygan.remedies.step import Step
from steadygan.types import StateDict

_HIGHEST = 1.0


class Noise(Knob):
    """Adds x ← x + σ_t·n, n ~ N(0, 1), to reals and fakes alike, in D's and in G's step.

    σ_t = amount · spread · max(0, 1 − t / decay),  t D's steps since the start

    It has random numbers of its own, one stream for each pass.

    Args:
        networks: D as the loop calls it, and inside of its wrappers.
        seed: of the noise.
    """

    def __init__(self, networks: tuple[nn.Module, nn.Module], seed: int) -> None:
        self._door = Doorway(networks, self._noisy)
        self._seed = seed
        self._num_passes = 0
        self.amount, self.decay, self.elapsed, self.spread = 0.0, 1, 0, 1.0

    @property
    def is_on(self) -> bool:
        """Whether there is noise left."""
        return self.strength > 0

    @property
    def strength(self) -> float:
        """The noise's standard deviation in units of the data's."""
        return self.amount * max(0.0, 1 - self.elapsed / self.decay)

    def set(self, amount: float, decay: int, elapsed: int, spread: float) -> None:
        """Begin, or 0: end.

        Raises:
            ActionError: for noise beyond the data's own spread, or a decay < 1.
        """
        if not 0 <= amount <= _HIGHEST or decay < 1:
            raise ActionError(
                f"instance noise must have an amount within 0 to 1 and a decay >= 1 step, got {amount} and {decay}; "
                "0.1 and 1000 are mild."
            )
        self.amount, self.decay, self.elapsed, self.spread = float(amount), decay, elapsed, spread
        self._door.set(self.is_on)

    def after(self, step: Step) -> None:
        """Fade with D's steps; at the end the hooks go."""
        if step.moving("d"):
            self.elapsed += 1
            self._door.set(self.is_on)

    def close(self) -> None:
        """No noise."""
        self.amount = 0.0
        self._door.set(False)

    def state_dict(self) -> StateDict:
        """Setting, age, and the place in the stream of random numbers."""
        return {
            "amount": self.amount,
            "decay": self.decay,
            "elapsed": self.elapsed,
            "spread": self.spread,
            "passes": self._num_passes,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._num_passes = int(state["passes"])
        self.set(state["amount"], int(state["decay"]), int(state["elapsed"]), state["spread"])

    def _noisy(self, x: Tensor) -> Tensor:
        self._num_passes += 1
        draws = torch.Generator(x.device).manual_seed(self._seed * 1_000_003 + self._num_passes)
        noise = torch.randn(x.shape, generator=draws, device=x.device, dtype=x.dtype)
        return x + noise * (self.strength * self.spread)
