"""Bound what one step can do."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import ClipGradient
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player

_PLAYERS: tuple[Player, ...] = ("g", "d")


@dataclass(frozen=True)
class Belt(Remedy):
    """Clip both players' gradients at three times the median of their own history.

    For spikes and runaways; what clips all the time hides a cause, so it comes late.

    Source: Pascanu, Mikolov, Bengio (2013), arXiv 1211.5063; Seetharaman et al. (2020), arXiv 2007.14469.
    """

    name: ClassVar[str] = "clip gradients"
    treats: ClassVar[tuple[str, ...]] = ("exploding_gradient", "non_finite", "divergence")

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """A bound for each player that has none."""
        clips = patient.game.clips
        return tuple(ClipGradient(p, 3.0, "median") for p in _PLAYERS if clips[p].limit is None)
