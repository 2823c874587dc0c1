"""``steadygan.evaluate``: fakes and reals from wherever they are, judged by metrics that are asked for by name."""

from collections.abc import Sequence
from pathlib import Path

from steadygan.data.layouts import Layout
from steadygan.errors import ConfigError
from steadygan.evaluation.catalogue import chosen
from steadygan.evaluation.feature_file import save_features
from steadygan.evaluation.judging import examine
from steadygan.evaluation.material import Material
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.scores import Evaluation
from steadygan.recipes.features import Features, make_feature_map
from steadygan.recipes.gathering import Samples, gather, usual_features

USUAL_METRICS = ("fid", "kid", "prdc")


def evaluate(
    fake: Samples,
    real: Samples | None = None,
    *,
    metrics: Sequence[str] | str = USUAL_METRICS,
    features: Features = "auto",
    validation: Samples | None = None,
    size: int | None = None,
    channels: int | None = None,
    range: tuple[float, float] | None = None,
    layout: Layout | None = None,
    quantise: bool = True,
    num: int | None = 10_000,
    seed: int = 0,
    skip_bad: bool = False,
) -> Evaluation:
    """How close fakes are to reals, in the terms of a feature map, with 95 % intervals.

    Nothing is downloaded and no global generator of random numbers moves. Scores know how they were
    measured, and refuse to be compared with scores that were measured otherwise.

    Args:
        fake: a run directory, a folder of images, a .npy or .npz file, a feature file, an array or tensor,
            ``(generator, latent)`` with ``latent`` n -> z, or a function n -> samples.
        real: the same; None: the data of the run that ``fake`` is, or nothing for metrics that need none.
        metrics: names, or one text with commas: see ``steadygan list metrics``.
        features: "auto" (pixels for points, random convolutions for images), "pixels", "pca:64",
            "random:0", "classifier:FILE", "imagenet:FILE", "inception", any ``nn.Module`` or map of
            ``steadygan.evaluation``.
        validation: held-out reals, for what asks whether training samples were learned by heart.
        size, channels: bring images on all sides to size x size, and to 1 or 3 channels.
        range: (low, high) of float images; None: what is known of a run, else [0, 1] or [-1, 1] by values.
        layout: axes of arrays by letter, "nhwc" or "nchw", where their shape can be read in two ways.
        quantise: round images to bytes, as files of reals are.
        num: at most so many samples of each side, drawn at random; None: all (10,000 of a generator).
        seed: of draws and latents.
        skip_bad: leave unreadable image files out.

    Raises:
        ConfigError: unknown names; metrics without what they need.
        DataError: samples that cannot be read, or not be compared.

    >>> import torch
    >>> draw = torch.Generator().manual_seed(0)
    >>> found = evaluate(torch.randn(500, 2, generator=draw), torch.randn(500, 2, generator=draw))
    >>> found["fid"].value < 0.1, found["precision"].interval[0] > 0.8
    (True, True)
    """
    how = Preparation(
        size=size,
        channels=channels,
        range=range,
        layout=layout,
        quantise=quantise,
        num=num,
        seed=seed,
        skip_bad=skip_bad,
    )
    return measured(fake, real, validation, how, metrics=metrics, features=features)[0]


def measured(
    fake: Samples,
    real: Samples | None,
    validation: Samples | None,
    how: Preparation,
    *,
    metrics: Sequence[str] | str,
    features: Features,
) -> tuple[Evaluation, Material]:
    """As ``evaluate``, with what the scores were computed from."""
    names = chosen(metrics)
    sides = gather(fake, real, validation, how)
    through = make_feature_map(usual_features(sides.fake) if features == "auto" else features, how)
    return examine(
        sides.fake,
        sides.real,
        metrics=names,
        through=through,
        validation=sides.validation,
        sampler=sides.sampler,
        places=sides.places,
        seed=how.seed,
    )


def keep_features(material: Material, side: str, path: Path) -> None:
    """Write one side's features, with the map's fingerprint, for later evaluations.

    Raises:
        ConfigError: for reals that were not given. DataError: where the file cannot be written.
    """
    samples = material.fake if side == "fake" else material.real
    if samples is None:
        raise ConfigError("--save-real needs reals; give --real.")
    about = {
        "map": material.map_name,
        "preparation": dict(samples.preparation),
        "origin": samples.origin,
    }
    features = material.fakes if side == "fake" else material.reals
    save_features(path, features, material.fingerprint, about)
