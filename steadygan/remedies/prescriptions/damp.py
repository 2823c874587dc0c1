"""Damp the game with a zero-centred gradient penalty on D."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import AddPenalty
from steadygan.remedies.remedy import Patient, Remedy

_EVERY = 4
_RAMP = 300
_SPAN = 30.0


@dataclass(frozen=True)
class Damp(Remedy):
    """Add R1, measured per typical size of a sample, or make it stronger.

    What orbits without it spirals in: at the equilibrium R1 makes the game's eigenvalues lean to the left.
    Not against a D that is too weak or flat already.

    Args:
        weight: γ, the first time.
        stronger: times, when it is there already.
        both: also at the generator's samples (R2).

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, theorem 4.1; R1 with R2: Huang et al. (2024), arXiv
    2501.05441.
    """

    name: ClassVar[str] = "gradient penalty"
    treats: ClassVar[tuple[str, ...]] = (
        "no_penalty",
        "momentum",
        "discriminator_ahead",
        "rotation",
        "race_of_magnitudes",
        "oscillation",
        "divergence",
        "exploding_gradient",
        "mode_collapse",
        "discriminator_overpowering",
    )

    weight: float = 0.3
    stronger: float = 5.0
    both: bool = False

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """R1, or R1 and R2, at a weight that is not in effect yet."""
        if {"penalty_too_heavy", "discriminator_underpowered"} & {
            *patient.causes[:1],
            patient.finding.kind,
        }:
            return ()
        return self.strengthened(patient)

    def strengthened(self, patient: Patient) -> tuple[Action, ...]:
        """The same, whatever speaks against it."""
        knob = patient.game.penalty
        actions: list[Action] = []
        for kind in ("R1", "R2") if self.both else ("R1",):
            now, first = knob.weight(kind), knob.references.get(kind, self.weight)
            weight = min(now * self.stronger, first * _SPAN) if now else first
            if weight > now:
                actions.append(AddPenalty(kind, weight, every=_EVERY, relative=True, ramp=_RAMP))
        return tuple(actions)
