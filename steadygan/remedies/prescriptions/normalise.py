"""Bound D's slope by its weights."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import NormaliseSpectrally
from steadygan.remedies.remedy import Patient, Remedy


@dataclass(frozen=True)
class Normalise(Remedy):
    """Spectral normalisation of D, switched on in place.

    For critics that nothing bounds. Weights keep their values at the switch and are led to norm 1.

    Source: Miyato et al. (2018), arXiv 1802.05957.
    """

    name: ClassVar[str] = "spectral normalisation"
    treats: ClassVar[tuple[str, ...]] = ("race_of_magnitudes", "exploding_gradient", "divergence")

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """On, unless it is."""
        return () if patient.game.spectral.is_on else (NormaliseSpectrally(),)
