"""Dynamics: the same games and update rules that train networks, under a microscope.

A rule's step is a map of the plane of all parameters; its Jacobian's eigenvalues say whether the game converges,
orbits or diverges. docs/dynamics.md explains how to read them.
"""

from steadygan.dynamics.analysis import Analysis as Analysis
from steadygan.dynamics.analysis import analyse as analyse
from steadygan.dynamics.boundary import StabilityBoundary as StabilityBoundary
from steadygan.dynamics.boundary import StableRates as StableRates
from steadygan.dynamics.decomposition import Decomposition as Decomposition
from steadygan.dynamics.decomposition import decompose as decompose
from steadygan.dynamics.equilibrium import Equilibrium as Equilibrium
from steadygan.dynamics.equilibrium import equilibrium as equilibrium
from steadygan.dynamics.flow import Flow as Flow
from steadygan.dynamics.flow import flow as flow
from steadygan.dynamics.frozen import FrozenOptimizer as FrozenOptimizer
from steadygan.dynamics.frozen import frozen as frozen
from steadygan.dynamics.frozen_step import FrozenStep as FrozenStep
from steadygan.dynamics.games import Bilinear as Bilinear
from steadygan.dynamics.games import DiracGAN as DiracGAN
from steadygan.dynamics.games import FlatGame as FlatGame
from steadygan.dynamics.games import GaussianGAN as GaussianGAN
from steadygan.dynamics.games import LossGame as LossGame
from steadygan.dynamics.games import NetworkGame as NetworkGame
from steadygan.dynamics.games import Quadratic as Quadratic
from steadygan.dynamics.linearisation import Linearisation as Linearisation
from steadygan.dynamics.lipschitz import Audit as Audit
from steadygan.dynamics.lipschitz import UpperBound as UpperBound
from steadygan.dynamics.lipschitz import audit as audit
from steadygan.dynamics.lipschitz import upper_bound as upper_bound
from steadygan.dynamics.observed import observed_verdict as observed_verdict
from steadygan.dynamics.path_angle import PathAngle as PathAngle
from steadygan.dynamics.path_angle import path_angle as path_angle
from steadygan.dynamics.portrait import PhasePortrait as PhasePortrait
from steadygan.dynamics.portraits import phase_portrait as phase_portrait
from steadygan.dynamics.rulers import Gaussians as Gaussians
from steadygan.dynamics.rulers import Points as Points
from steadygan.dynamics.rulers import Rulers as Rulers
from steadygan.dynamics.rulers import Uniforms as Uniforms
from steadygan.dynamics.rulers import read_rulers as read_rulers
from steadygan.dynamics.smoothness import has_jump as has_jump
from steadygan.dynamics.spectrum import Spectrum as Spectrum
from steadygan.dynamics.spectrum import spectrum as spectrum
from steadygan.dynamics.stability import stability_boundary as stability_boundary
from steadygan.dynamics.stability import stable_rates as stable_rates
from steadygan.dynamics.step_map import StepMap as StepMap

__all__ = [
    "Analysis",
    "Bilinear",
    "Decomposition",
    "DiracGAN",
    "Equilibrium",
    "FlatGame",
    "Flow",
    "FrozenOptimizer",
    "FrozenStep",
    "GaussianGAN",
    "Linearisation",
    "LossGame",
    "NetworkGame",
    "PathAngle",
    "PhasePortrait",
    "Quadratic",
    "Spectrum",
    "StabilityBoundary",
    "StableRates",
    "StepMap",
    "analyse",
    "decompose",
    "equilibrium",
    "flow",
    "frozen",
    "has_jump",
    "observed_verdict",
    "path_angle",
    "phase_portrait",
    "spectrum",
    "stability_boundary",
    "stable_rates",
    "Audit",
    "Gaussians",
    "Points",
    "Rulers",
    "Uniforms",
    "UpperBound",
    "audit",
    "read_rulers",
    "upper_bound",
]
