"""Dynamics: the same games and update rules that train networks, under a microscope.

A rule's step is a map of the plane of all parameters; its Jacobian's eigenvalues say whether the game converges,
orbits or diverges. docs/dynamics.md explains how to read them.
"""

from steadygan.dynamics.boundary import StabilityBoundary as StabilityBoundary
from steadygan.dynamics.boundary import StableRates as StableRates
from steadygan.dynamics.portrait import PhasePortrait as PhasePortrait
from steadygan.dynamics.spectrum import Spectrum as Spectrum

__all__ = [
    "PhasePortrait",
    "Spectrum",
    "StabilityBoundary",
    "StableRates",
]
