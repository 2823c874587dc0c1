"""The eigenvalues of a game's update map at one point, and what they say: converges, orbits or diverges."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Complex128

Verdict = Literal["converges", "orbits", "diverges"]
Eigenvalues = Complex128[np.ndarray, "k"]

TOLERANCE = 1e-9
"""How near to 1 a spectral radius counts as 1: far above the round-off of a float64 eigenvalue solver."""


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of one step of a rule, linearised at a point: each step multiplies what lies along them.

    spectral radius ρ = max |λ|;  converges: ρ < 1 − tol,  orbits: |ρ − 1| <= tol,  diverges: ρ > 1 + tol

    Attributes:
        game, rule: their names, for titles.
        lr_g, lr_d: the learning rates of the step.
        eigenvalues: of the map's Jacobian, largest modulus first, the rule's memory included.
        complete: whether these are all eigenvalues, or only those sought at the outer rim.
        tolerance: see the equation.
    """

    game: str
    rule: str
    lr_g: float
    lr_d: float
    eigenvalues: Eigenvalues
    complete: bool = True
    tolerance: float = TOLERANCE

    @cached_property
    def spectral_radius(self) -> float:
        """max |λ|: the factor by which one step multiplies the slowest-decaying deviation."""
        return float(np.abs(self.eigenvalues).max(initial=0.0))

    @property
    def margin(self) -> float:
        """1 − ρ: positive where the game converges; about its inverse is the number of steps per factor e."""
        return 1.0 - self.spectral_radius

    @property
    def verdict(self) -> Verdict:
        """What small deviations do under this map."""
        if abs(self.margin) <= self.tolerance:
            return "orbits"
        return "converges" if self.margin > 0 else "diverges"

    @cached_property
    def rotation(self) -> float:
        """The imaginary share of what a step does: Σ|Im λ| / Σ|λ − 1|, in [0, 1]; 1 is pure rotation."""
        moved = float(np.abs(self.eigenvalues - 1).sum())
        return float(np.abs(self.eigenvalues.imag).sum()) / moved if moved else 0.0
