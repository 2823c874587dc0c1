"""What metrics are computed from: each side's features and class probabilities, made once and when needed."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.maps.sample_map import SampleMap, features_of, probabilities_of
from steadygan.evaluation.sample_set import SampleSet
from steadygan.evaluation.sampler import Sampler
from steadygan.types import Labels

Places = tuple[Tensor, float]
"""Centres of the modes (k, d) and their standard deviation, in the data's own units."""


@dataclass(frozen=True, eq=False)
class Material:
    """Both sides of a comparison, seen through one fitted feature map."""

    through: SampleMap
    fake: SampleSet
    real: SampleSet | None
    validation: SampleSet | None
    sampler: Sampler | None
    places: Places | None
    seed: int

    @property
    def from_files(self) -> bool:
        """Whether every side came as features, so that the map itself is not here."""
        return all(s.kind == "features" for s in (self.fake, self.real) if s is not None)

    @property
    def fingerprint(self) -> str | None:
        """Of the feature map."""
        return self.fake.fingerprint if self.from_files else self.through.fingerprint()

    @property
    def map_name(self) -> str:
        """Of the feature map."""
        return "from files" if self.from_files else self.through.name

    @property
    def is_comparable(self) -> bool:
        """Whether the fingerprint says everything."""
        return self.fingerprint is not None and (self.from_files or self.through.is_comparable)

    @property
    def dims(self) -> int | None:
        """Numbers a sample, once features have been made."""
        made = self.__dict__.get("fakes")
        return None if made is None else int(made.shape[1])

    @cached_property
    def fakes(self) -> Float[Tensor, "n f"]:
        """Features of the fakes."""
        return features_of(self.fake, self.through)

    @cached_property
    def reals(self) -> Float[Tensor, "m f"]:
        """Features of the reals."""
        if self.real is None:
            raise ConfigError("this metric needs real samples; give real= (--real).")
        return features_of(self.real, self.through)

    @cached_property
    def validations(self) -> Float[Tensor, "k f"]:
        """Features of the held-out reals."""
        if self.validation is None:
            raise ConfigError("this metric needs held-out reals; give validation= (--validation).")
        return features_of(self.validation, self.through)

    @cached_property
    def probabilities(self) -> Float[Tensor, "n k"]:
        """Class probabilities of the fakes."""
        if self.fake.kind == "features":
            raise DataError("this metric needs samples, got a feature file; give the samples.")
        return probabilities_of(self.fake, self.through)

    @cached_property
    def classes(self) -> Labels:
        """The likeliest class of each fake."""
        return self.probabilities.argmax(dim=1)

    @cached_property
    def images(self) -> Float[Tensor, "n c h w"]:
        """The fakes as images in [0, 1]."""
        if self.fake.kind != "images":
            raise DataError(f"this metric needs images, got {self.fake.kind}; give images.")
        return (self.fake.network() + 1) / 2

    def points(self) -> Float[Tensor, "n d"]:
        """The fakes in their own units, flattened."""
        return self.fake.x.flatten(1).double()

    def walk(self, z: Tensor) -> Tensor:
        """Samples of these latents as feature maps take them."""
        if self.sampler is None:
            raise ConfigError(
                "this metric walks through latent space and needs the generator; give a run directory or "
                "(generator, latent) as FAKE."
            )
        return self.sampler.network_samples(z, self.fake)

    def latents(self, num: int) -> Tensor:
        """Latents of the fakes' generator."""
        if self.sampler is None:
            self.walk(torch.empty(0))
        assert self.sampler is not None
        return self.sampler.latents(num, seed=self.seed)
