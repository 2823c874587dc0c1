"""Samples that treatments draw for themselves: from what the loop's owner gave, with random numbers of their own."""

import torch
from torch import Tensor

from steadygan.errors import ActionError
from steadygan.probes.foreign import Given, Samples, drawn
from steadygan.probes.randomness import restored_randomness

_NUM = 2048


class Bank:
    """Reals or latents, with their labels where they have some.

    A tensor is used whole; what draws is asked once for reals, 2,048 of them, and each time for latents.

    Args:
        name: ``real`` or ``latent``.
        given: samples, or what draws n of them; None: there are none.
        seed: of the choice.
    """

    def __init__(self, name: str, given: Given | None, seed: int) -> None:
        self._name, self._given, self._seed = name, given, seed
        self._parts: tuple[Tensor, ...] | None = None

    def draw(self, num: int, turn: int) -> tuple[Tensor, ...]:
        """At most ``num`` samples, the same for the same turn; the loop's random numbers are left alone.

        Raises:
            ActionError: where none were given.
        """
        seed = self._seed * 1_000_003 + turn
        if self._name == "latent" and callable(self._given):
            with restored_randomness(None, seed=seed):
                given = self._given(num)
            return tuple(part.detach() for part in _as_tuple(given))
        parts = self._held()
        choice = torch.Generator().manual_seed(seed)
        order = torch.randint(len(parts[0]), (num,), generator=choice, device="cpu")
        return tuple(part.detach()[order.to(part.device)] for part in parts)

    def spread(self) -> float:
        """The root mean square over coordinates of their standard deviations."""
        x = self._held()[0][:_NUM].detach().float()
        return float(x.var(dim=0, correction=0).mean().sqrt())

    @property
    def event(self) -> tuple[int, ...] | None:
        """The shape of one sample; None where none were given."""
        return None if self._given is None else tuple(self._held()[0].shape[1:])

    def _held(self) -> tuple[Tensor, ...]:
        if self._given is None:
            raise ActionError(
                f"this treatment needs {self._name} samples, got none; give {self._name}= to stabilize."
            )
        if self._parts is None:
            if callable(self._given):
                self._parts = drawn(self._name, self._given, _NUM)
            else:
                self._parts = _as_tuple(self._given)
        return self._parts


def _as_tuple(given: Samples) -> tuple[Tensor, ...]:
    return (given,) if isinstance(given, Tensor) else tuple(given)
