"""Metrics: two sets of samples -> numbers, in float64 and in bounded memory; the feature map is an argument.

Every metric takes tensors or arrays (n, d), fakes first, and returns a small frozen result that converts to float.
"""

from steadygan.metrics.density_coverage import DensityCoverage as DensityCoverage
from steadygan.metrics.density_coverage import density_coverage as density_coverage
from steadygan.metrics.energy_distance import EnergyDistance as EnergyDistance
from steadygan.metrics.energy_distance import energy_distance as energy_distance
from steadygan.metrics.features import FeatureMap as FeatureMap
from steadygan.metrics.features import RandomConvolution as RandomConvolution
from steadygan.metrics.features import identity as identity
from steadygan.metrics.frechet import FrechetDistance as FrechetDistance
from steadygan.metrics.frechet import frechet_distance as frechet_distance
from steadygan.metrics.frechet import frechet_infinity as frechet_infinity
from steadygan.metrics.manifold import Manifolds as Manifolds
from steadygan.metrics.manifold import manifolds as manifolds
from steadygan.metrics.modes import ModeCount as ModeCount
from steadygan.metrics.modes import ModeCoverage as ModeCoverage
from steadygan.metrics.modes import mode_count as mode_count
from steadygan.metrics.modes import mode_coverage as mode_coverage
from steadygan.metrics.moments import Moments as Moments
from steadygan.metrics.precision_recall import PrecisionRecall as PrecisionRecall
from steadygan.metrics.precision_recall import precision_recall as precision_recall
from steadygan.metrics.result import Result as Result

__all__ = [
    "DensityCoverage",
    "EnergyDistance",
    "FeatureMap",
    "FrechetDistance",
    "Manifolds",
    "ModeCount",
    "ModeCoverage",
    "Moments",
    "PrecisionRecall",
    "RandomConvolution",
    "Result",
    "density_coverage",
    "energy_distance",
    "frechet_distance",
    "frechet_infinity",
    "identity",
    "manifolds",
    "mode_count",
    "mode_coverage",
    "precision_recall",
]
