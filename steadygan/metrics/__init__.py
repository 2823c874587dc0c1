"""Metrics: two sets of samples -> numbers, in float64 and in bounded memory; the feature map is an argument.

Every metric takes tensors or arrays (n, d), fakes first, and returns a small frozen result that converts to float.
"""

from steadygan.metrics.density_coverage import DensityCoverage as DensityCoverage
from steadygan.metrics.density_coverage import density_coverage as density_coverage
from steadygan.metrics.different_bins import DifferentBins as DifferentBins
from steadygan.metrics.different_bins import different_bins as different_bins
from steadygan.metrics.duplicates import DuplicateRate as DuplicateRate
from steadygan.metrics.duplicates import SupportSize as SupportSize
from steadygan.metrics.duplicates import duplicate_rate as duplicate_rate
from steadygan.metrics.duplicates import support_size as support_size
from steadygan.metrics.energy_distance import EnergyDistance as EnergyDistance
from steadygan.metrics.energy_distance import energy_distance as energy_distance
from steadygan.metrics.features import FeatureMap as FeatureMap
from steadygan.metrics.features import RandomConvolution as RandomConvolution
from steadygan.metrics.features import identity as identity
from steadygan.metrics.frechet import FrechetDistance as FrechetDistance
from steadygan.metrics.frechet import frechet_distance as frechet_distance
from steadygan.metrics.frechet import frechet_infinity as frechet_infinity
from steadygan.metrics.generator_paths import ConditionNumber as ConditionNumber
from steadygan.metrics.generator_paths import PathLength as PathLength
from steadygan.metrics.generator_paths import condition_number as condition_number
from steadygan.metrics.generator_paths import perceptual_path_length as perceptual_path_length
from steadygan.metrics.inception_score import InceptionScore as InceptionScore
from steadygan.metrics.inception_score import inception_score as inception_score
from steadygan.metrics.kernel_distance import kernel_distance as kernel_distance
from steadygan.metrics.kernel_distance import maximum_mean_discrepancy as maximum_mean_discrepancy
from steadygan.metrics.manifold import Manifolds as Manifolds
from steadygan.metrics.manifold import manifolds as manifolds
from steadygan.metrics.memorization import Memorization as Memorization
from steadygan.metrics.memorization import frechet_gap as frechet_gap
from steadygan.metrics.memorization import memorization as memorization
from steadygan.metrics.modes import ModeCount as ModeCount
from steadygan.metrics.modes import ModeCoverage as ModeCoverage
from steadygan.metrics.modes import mode_count as mode_count
from steadygan.metrics.modes import mode_coverage as mode_coverage
from steadygan.metrics.moments import Moments as Moments
from steadygan.metrics.ms_ssim import Similarity as Similarity
from steadygan.metrics.ms_ssim import ms_ssim_diversity as ms_ssim_diversity
from steadygan.metrics.precision_recall import PrecisionRecall as PrecisionRecall
from steadygan.metrics.precision_recall import precision_recall as precision_recall
from steadygan.metrics.result import Result as Result
from steadygan.metrics.two_sample import TwoSampleTest as TwoSampleTest
from steadygan.metrics.two_sample import classifier_two_sample_test as classifier_two_sample_test
from steadygan.metrics.vendi_score import vendi_score as vendi_score
from steadygan.metrics.wasserstein import sliced_wasserstein as sliced_wasserstein
from steadygan.metrics.wasserstein import wasserstein as wasserstein

__all__ = [
    "ConditionNumber",
    "DensityCoverage",
    "DifferentBins",
    "DuplicateRate",
    "EnergyDistance",
    "FeatureMap",
    "FrechetDistance",
    "InceptionScore",
    "Manifolds",
    "Memorization",
    "ModeCount",
    "ModeCoverage",
    "Moments",
    "PathLength",
    "PrecisionRecall",
    "RandomConvolution",
    "Result",
    "Similarity",
    "SupportSize",
    "TwoSampleTest",
    "classifier_two_sample_test",
    "condition_number",
    "density_coverage",
    "different_bins",
    "duplicate_rate",
    "energy_distance",
    "frechet_distance",
    "frechet_gap",
    "frechet_infinity",
    "identity",
    "inception_score",
    "kernel_distance",
    "manifolds",
    "maximum_mean_discrepancy",
    "memorization",
    "mode_count",
    "mode_coverage",
    "ms_ssim_diversity",
    "perceptual_path_length",
    "precision_recall",
    "sliced_wasserstein",
    "support_size",
    "vendi_score",
    "wasserstein",
]
