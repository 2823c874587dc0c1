"""A run directory as a source of fakes, and of its own data."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from steadygan.data import Source
from steadygan.errors import DataError
from steadygan.evaluation.material import Places
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.reading import from_array
from steadygan.evaluation.sample_set import SampleSet
from steadygan.evaluation.sampler import Sampler
from steadygan.recipes.assemble import make_source
from steadygan.recipes.sampling import open_generator
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import load_recipe
from steadygan.training.observers import balanced_labels, generate
from steadygan.training.pictures import bounds_of

_USUAL = 10_000


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A finished run.

    Args:
        root: its directory.
        best: its best generator instead of its last.
    """

    root: Path
    best: bool = False

    @classmethod
    def at(cls, path: str | Path) -> "OpenedRun | None":
        """The run at a path, or the run whose ``best.safetensors`` it is; None where there is none."""
        root = Path(path)
        is_best = root.name == "best.safetensors"
        root = root.parent if is_best else root
        return cls(root, is_best) if (root / "recipe.yaml").exists() else None

    @property
    def name(self) -> str:
        """For people."""
        return str(self.root / "best.safetensors" if self.best else self.root)

    @cached_property
    def recipe(self) -> Recipe:
        """The complete recipe."""
        return load_recipe(self.root / "recipe.yaml")

    @cached_property
    def source(self) -> Source:
        """The recipe's data.

        Raises:
            DataError: naming the run whose data is gone.
        """
        try:
            return make_source(self.recipe)
        except DataError as error:
            raise DataError(f"the data of run {self.root}: {error}") from error

    @property
    def range(self) -> tuple[float, float] | None:
        """Of its samples, in the data's own units; None where they are unbounded."""
        return bounds_of(open_generator(self.root, best=self.best)[1].scale)

    def reals(self, how: Preparation, side: str = "real") -> SampleSet:
        """Its data, in its own units, prepared."""
        return reals_of(self.source, how, side)

    def draw(self, how: Preparation) -> SampleSet:
        """Samples of the averaged generator in the data's own units, the classes in turn."""
        num = how.num or _USUAL
        generator, kept = open_generator(self.root, best=self.best)
        labels = balanced_labels(num, kept.classes)
        z = kept.latent.sample(num, seed=how.seed, position=0)
        x = kept.scale.to_data(generate(generator, z, labels))
        how = replace(how, layout="nchw" if x.dim() == 4 else None)
        made = from_array(
            x, "fake", how, origin=self.name, labels=labels, known=bounds_of(kept.scale)
        )
        return replace(made, available=None)

    def sampler(self) -> Sampler:
        """The generator with its latents, for metrics that walk; of a conditional run, class 0 alone."""
        generator, kept = open_generator(self.root, best=self.best)

        def run(z: Tensor) -> Tensor:
            labels = (torch.zeros(len(z), dtype=torch.long),) if kept.classes else ()
            found: Tensor = kept.scale.to_data(generator(z, *labels))
            return found

        def latents(num: int) -> Tensor:
            return kept.latent.sample(num, seed=0, position=0)

        return Sampler(run, latents, known=bounds_of(kept.scale), origin=self.name)


def reals_of(source: Source, how: Preparation, side: str = "real") -> SampleSet:
    """The data of a recipe in its own units, prepared."""
    x, y = source.reference(how.num or source.size or _USUAL, seed=how.seed)
    x = source.to_data(x)
    how = replace(how, layout="nchw" if x.dim() == 4 else None)
    origin = type(source).__name__
    made = from_array(x, side, how, origin=origin, labels=y, known=bounds_of(source.scale))
    return replace(made, available=source.size)


def places_of(source: Source) -> Places | None:
    """Centres and width of the modes, where the data is made up and they are known."""
    centres, std = getattr(source, "centres", None), getattr(source, "std", None)
    if isinstance(centres, Tensor) and isinstance(std, float):
        return centres, std
    return None
