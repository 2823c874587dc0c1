"""Feature maps: samples to the numbers that metrics compare, each with a fingerprint; nothing downloads by itself."""

from steadygan.evaluation.maps.classifier import Classifier as Classifier
from steadygan.evaluation.maps.efficientnet import EfficientNet as EfficientNet
from steadygan.evaluation.maps.inception import Inception as Inception
from steadygan.evaluation.maps.module import Module as Module
from steadygan.evaluation.maps.pca import PCA as PCA
from steadygan.evaluation.maps.pixels import Pixels as Pixels
from steadygan.evaluation.maps.random import RandomFeatures as RandomFeatures
from steadygan.evaluation.maps.sample_map import SampleMap as SampleMap

__all__ = [
    "PCA",
    "Classifier",
    "EfficientNet",
    "Inception",
    "Module",
    "Pixels",
    "RandomFeatures",
    "SampleMap",
]
