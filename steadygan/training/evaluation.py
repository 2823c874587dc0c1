"""Metrics of a finished generator against the data, in the data's own units."""

from torch import Tensor, nn

from steadygan import metrics
from steadygan.data import Latent, Source
from steadygan.data.seeds import mix
from steadygan.training.observers import balanced_labels, generate

_EVALUATION_SEED = 303


def evaluate_generator(
    generator: nn.Module, source: Source, latent: Latent, num: int, *, seed: int
) -> dict[str, float]:
    """Precision, recall, density, coverage and energy distance; modes where their places are known.

    On raw coordinates (pixels), without a feature network: numbers to compare runs on one data set with.

    Args:
        generator: in evaluation mode.
        source: gives up to ``num`` distinct reals.
        num: samples to draw.
        seed: of the latents, apart from the training's.
    """
    z = latent.sample(num, seed=mix(seed, _EVALUATION_SEED), position=0)
    fake = _flat(source, generate(generator, z, balanced_labels(num, source.classes)))
    real = _flat(source, source.reference(num, seed=seed)[0])
    fidelity = metrics.precision_recall(fake, real, k=3)
    density = metrics.density_coverage(fake, real, k=5)
    found = {
        "precision": fidelity.precision,
        "recall": fidelity.recall,
        "density": density.density,
        "coverage": density.coverage,
        "energy_distance": float(metrics.energy_distance(fake, real)),
    }
    centres, std = getattr(source, "centres", None), getattr(source, "std", None)
    if isinstance(centres, Tensor) and isinstance(std, float):
        modes = metrics.mode_coverage(fake, centres, std)
        found |= {"modes": modes.modes, "high_quality": modes.high_quality_share}
    return {name: round(float(value), 5) for name, value in found.items()}


def _flat(source: Source, x: Tensor) -> Tensor:
    return source.to_data(x).flatten(1).double()
