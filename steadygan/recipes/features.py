"""From a name to a feature map: ``pca:64``, ``classifier:FILE`` and the like."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from steadygan.errors import ConfigError, unknown_name
from steadygan.evaluation.maps import (
    PCA,
    Classifier,
    EfficientNet,
    Inception,
    Module,
    Pixels,
    RandomFeatures,
    SampleMap,
)
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.reading import read_path

_FORMS = {
    "pixels": "pixels",
    "pca": "pca[:COMPONENTS]",
    "random": "random[:SEED]",
    "classifier": "classifier[:LABELLED_DATA]",
    "imagenet": "imagenet:FILE.safetensors[@SIZE]",
    "inception": "inception[:FILE]",
}

Features = str | SampleMap | nn.Module | Callable[[Tensor], Any]


def feature_maps() -> dict[str, type[SampleMap]]:
    """The forms that a name can take, and what each makes."""
    kinds = (Pixels, PCA, RandomFeatures, Classifier, EfficientNet, Inception)
    return dict(zip(_FORMS.values(), kinds, strict=True))


def make_feature_map(features: Features, how: Preparation | None = None) -> SampleMap:
    """The map of that name; maps and modules are taken as they are.

    Args:
        features: a name like ``pca:64``, a map of ``steadygan.evaluation.maps``, or a network.
        how: preparation of the labelled data of ``classifier:FILE``.

    Raises:
        ConfigError, DataError: unknown name, option out of range, unusable file.

    >>> make_feature_map("pca:32").name
    'pca:32'
    """
    if isinstance(features, SampleMap):
        return features
    if not isinstance(features, str):
        return Module(features)
    name, _, option = features.partition(":")
    if name not in _FORMS:
        raise unknown_name("feature map", features, _FORMS.values())
    if name == "pixels":
        if option:
            raise ConfigError(f"features pixels take no option, got {features!r}; write pixels.")
        return Pixels()
    if name == "pca":
        return PCA(_number(features, option, 64))
    if name == "random":
        return RandomFeatures(_number(features, option, 0))
    if name == "classifier":
        return _classifier(option, how or Preparation())
    if name == "imagenet":
        return _imagenet(features, option)
    return Inception(option or None)


def _classifier(option: str, how: Preparation) -> Classifier:
    if not option:
        return Classifier()
    everything = Preparation(size=how.size, range=how.range, layout=how.layout, num=None)
    return Classifier(read_path(option, "labelled data", everything))


def _imagenet(features: str, option: str) -> EfficientNet:
    if not option:
        raise ConfigError(
            "features imagenet need a weights file: imagenet:FILE.safetensors; see docs/evaluate.md."
        )
    path, at, size = option.rpartition("@")
    if at and size.isdigit():
        return EfficientNet(Path(path), size=_number(features, size, 96))
    return EfficientNet(Path(option))


def _number(features: str, option: str, usual: int) -> int:
    if not option:
        return usual
    if not option.isdecimal():
        raise ConfigError(
            f"features {features!r} need a whole number after the colon; e.g. pca:64."
        )
    return int(option)
