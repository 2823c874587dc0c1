"""Evaluation: samples from anywhere, through a feature map, to scores that know how they were measured."""

from steadygan.evaluation.catalogue import metric_names as metric_names
from steadygan.evaluation.comparing import Comparison as Comparison
from steadygan.evaluation.comparing import compare as compare
from steadygan.evaluation.feature_file import load_features as load_features
from steadygan.evaluation.feature_file import save_features as save_features
from steadygan.evaluation.judging import judge as judge
from steadygan.evaluation.maps import PCA as PCA
from steadygan.evaluation.maps import Classifier as Classifier
from steadygan.evaluation.maps import EfficientNet as EfficientNet
from steadygan.evaluation.maps import Inception as Inception
from steadygan.evaluation.maps import Module as Module
from steadygan.evaluation.maps import Pixels as Pixels
from steadygan.evaluation.maps import RandomFeatures as RandomFeatures
from steadygan.evaluation.maps import SampleMap as SampleMap
from steadygan.evaluation.preparation import Preparation as Preparation
from steadygan.evaluation.reading import from_array as from_array
from steadygan.evaluation.reading import read_path as read_path
from steadygan.evaluation.sample_set import SampleSet as SampleSet
from steadygan.evaluation.sampler import Sampler as Sampler
from steadygan.evaluation.scores import Evaluation as Evaluation
from steadygan.evaluation.scores import Score as Score
from steadygan.evaluation.stacked import stack_channels as stack_channels

__all__ = [
    "PCA",
    "Classifier",
    "Comparison",
    "EfficientNet",
    "Evaluation",
    "Inception",
    "Module",
    "Pixels",
    "Preparation",
    "RandomFeatures",
    "SampleMap",
    "SampleSet",
    "Sampler",
    "Score",
    "compare",
    "from_array",
    "judge",
    "load_features",
    "metric_names",
    "read_path",
    "save_features",
    "stack_channels",
]
