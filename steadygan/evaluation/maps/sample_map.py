"""The contract of a feature map: from samples to the numbers that metrics compare."""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.sample_set import SampleSet
from steadygan.types import Labels, Samples


class SampleMap(ABC):
    """Samples (b, *event), images in [-1, 1], to features (b, f).

    A map that must look at data first returns a new map from ``fitted``; the same data give the same map.
    Numbers through maps of different ``fingerprint`` must not be compared.
    """

    classes: int = 0
    """How many classes ``probabilities`` has; 0 for maps that do not classify."""

    def fitted(self, real: SampleSet | None) -> "SampleMap":
        """The map to use with these reals; itself where there is nothing to fit.

        Raises:
            DataError: for reals that the map cannot be fitted to.
        """
        return self

    @abstractmethod
    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """The features."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything that decides the features, as JSON; ``name`` is how it is asked for."""

    @property
    def name(self) -> str:
        """How it is asked for: ``pca:64``."""
        return str(self.describe()["name"])

    @property
    def is_comparable(self) -> bool:
        """Whether ``describe`` really tells everything; a bare function cannot."""
        return True

    def about(self) -> dict[str, Any]:
        """What a person should know besides: accuracy, explained variance. No part of the fingerprint."""
        return {}

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of ``describe``."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def probabilities(self, x: Samples) -> Float[Tensor, "b k"]:
        """Class probabilities, of maps that classify.

        Raises:
            ConfigError: of the others.
        """
        raise ConfigError(
            f"features {self.name} give no class probabilities; use classifier, imagenet or inception."
        )

    def labels(self, x: Samples) -> Labels:
        """The likeliest class of each sample."""
        return self.probabilities(x).argmax(dim=1)


@torch.no_grad()
def features_of(samples: SampleSet, through: SampleMap) -> Float[Tensor, "n f"]:
    """All features of one side, a bounded number of samples at a time.

    Raises:
        DataError: naming the first sample whose features are not finite.
    """
    if samples.kind == "features":
        return samples.x
    features = torch.cat([through(x).cpu() for x in samples.chunks()])
    bad = ~torch.isfinite(features).all(dim=1)
    if bool(bad.any()):
        raise DataError(
            f"features {through.name} must be finite, got {int(bad.sum())} of {len(bad)} {samples.side} "
            f"samples that are not, the first is {int(bad.nonzero()[0])}; look at that sample or map."
        )
    return features


@torch.no_grad()
def probabilities_of(samples: SampleSet, through: SampleMap) -> Float[Tensor, "n k"]:
    """All class probabilities of one side, a bounded number of samples at a time."""
    return torch.cat([through.probabilities(x).cpu() for x in samples.chunks()])


def images_only(name: str, x: Tensor) -> None:
    """Refuse what is no batch of images.

    Raises:
        DataError: for anything but (b, c, h, w).
    """
    if x.dim() != 4:
        raise DataError(
            f"features {name} need images, got samples of shape {tuple(x.shape[1:])}; "
            "use pixels or pca:64."
        )


def as_rgb(name: str, x: Samples) -> Float[Tensor, "b 3 h w"]:
    """Images of three channels; grey ones are repeated.

    Raises:
        DataError: for images of another number of channels.
    """
    images_only(name, x)
    if x.shape[1] not in (1, 3):
        raise DataError(
            f"features {name} need images of 1 or 3 channels, got {x.shape[1]}; use random or pca:64."
        )
    return x.expand(-1, 3, -1, -1)
