"""Using a finished run: its generator rebuilt from the recipe and ``generator.safetensors``, without its data."""

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from steadygan.data import Scale
from steadygan.errors import CheckpointError, ConfigError
from steadygan.recipes.assemble import make_networks
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import load_recipe
from steadygan.record.checkpoint import load_newest
from steadygan.training.directory import RunDirectory
from steadygan.training.generator_file import GeneratorFile, load_generator
from steadygan.training.observers import balanced_labels, generate
from steadygan.types import Labels


def draw_samples(
    run: str | Path,
    num: int,
    *,
    seed: int = 0,
    label: int | None = None,
    live: bool = False,
    best: bool = False,
) -> tuple[Tensor, Labels | None, Scale]:
    """Samples in the data's own units, their labels, and the scale they came through.

    Args:
        run: a run directory.
        num: how many.
        seed: of the latents; the same seed gives the same samples.
        label: one class for all; None: the classes in turn. Conditional runs only.
        live: the newest checkpoint's live generator instead of the average.
        best: the averaged generator that was best by ``evaluate.best``, instead of the last.

    Shape: -> (num, *event) float32, (num,) or None.
    """
    home, recipe, kept = _open(run, best=best)
    labels = balanced_labels(num, kept.classes)
    if label is not None:
        if label >= kept.classes:
            raise ConfigError(
                f"--label must be below {kept.classes}, the classes of this run, got {label}."
                if kept.classes
                else f"--label needs a conditional run, {home.root} has no classes; leave it out."
            )
        labels = torch.full((num,), label)
    weights = load_newest(home.checkpoints)[1]["g"] if live else kept.weights
    generator = _rebuilt(recipe, kept, weights)
    z = kept.latent.sample(num, seed=seed, position=0)
    return kept.scale.to_data(generate(generator, z, labels)), labels, kept.scale


def export_generator(run: str | Path, out: Path) -> Path:
    """Write the averaged generator and the way to the data's own units as one ``torch.export`` program.

    Shape of the program: z (b, latent) -> (b, *event), for any b; z and y (b,) for conditional runs.
    """
    _, recipe, kept = _open(run)
    program = _InDataUnits(_rebuilt(recipe, kept, kept.weights), kept.scale).eval()
    z = torch.zeros(2, kept.latent.dim)
    arguments = (z, torch.zeros(2, dtype=torch.long)) if kept.classes else (z,)
    batch = torch.export.Dim("batch")
    with torch.no_grad():
        exported = torch.export.export(
            program, arguments, dynamic_shapes=tuple({0: batch} for _ in arguments)
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        torch.export.save(exported, out)
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"--out {out} cannot be written ({reason}).") from error
    return out


class _InDataUnits(nn.Module):
    """A generator whose samples leave in the data's own units."""

    def __init__(self, generator: nn.Module, scale: Scale) -> None:
        super().__init__()
        self.generator = generator
        self._scale = scale

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self._scale.to_data(self.generator(z) if y is None else self.generator(z, y))


def open_generator(run: str | Path, *, best: bool = False) -> tuple[nn.Module, GeneratorFile]:
    """A finished run's averaged generator in evaluation mode, and what sampling needs besides."""
    _, recipe, kept = _open(run, best=best)
    return _rebuilt(recipe, kept, kept.weights), kept


def _open(run: str | Path, *, best: bool = False) -> tuple[RunDirectory, Recipe, GeneratorFile]:
    home = RunDirectory(Path(run))
    if not home.recipe.exists():
        raise ConfigError(
            f"{home.root} holds no run (no recipe.yaml); give the folder `steadygan train` made."
        )
    if best and not home.best.exists():
        raise ConfigError(
            f"{home.root} holds no best.safetensors; set evaluate.best and evaluate.every when training."
        )
    return home, load_recipe(home.recipe), load_generator(home.best if best else home.generator)


def _rebuilt(recipe: Recipe, kept: GeneratorFile, weights: object) -> nn.Module:
    generator = make_networks(recipe, kept.latent, kept.event, kept.classes).g
    try:
        generator.load_state_dict(cast("dict[str, Tensor]", weights))
    except RuntimeError as error:
        raise CheckpointError(
            f"generator.safetensors does not fit recipe.yaml ({' '.join(str(error).split())}); "
            "was one of them edited?"
        ) from error
    return generator.eval()
