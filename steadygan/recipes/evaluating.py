"""``steadygan.evaluate``: fakes and reals from wherever they are, judged by metrics that are asked for by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from numpy import ndarray
from torch import Tensor, nn

from steadygan.data import Source
from steadygan.errors import DataError
from steadygan.evaluation.catalogue import chosen
from steadygan.evaluation.judging import judge
from steadygan.evaluation.material import Places
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.reading import from_array, read_path
from steadygan.evaluation.sample_set import SampleSet
from steadygan.evaluation.sampler import Sampler
from steadygan.evaluation.scores import Evaluation
from steadygan.recipes.features import Features, make_feature_map
from steadygan.recipes.opened_run import OpenedRun, places_of, reals_of

Array = Tensor | ndarray[Any, Any]
GeneratorAndLatent = tuple[nn.Module | Callable[[Tensor], Tensor], Callable[[int], Tensor]]
Samples = str | Path | Array | GeneratorAndLatent | Callable[[int], Tensor] | SampleSet | Source

USUAL_METRICS = ("fid", "kid", "prdc")


@dataclass(frozen=True, eq=False)
class Sides:
    """What FAKE, REAL and VALIDATION turned out to be."""

    fake: SampleSet
    real: SampleSet | None
    validation: SampleSet | None
    sampler: Sampler | None
    places: Places | None


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
    names = chosen(metrics)
    how = Preparation(
        size=size,
        channels=channels,
        range=range,
        quantise=quantise,
        num=num,
        seed=seed,
        skip_bad=skip_bad,
    )
    sides = gather(fake, real, validation, how)
    through = make_feature_map(_usual(sides.fake) if features == "auto" else features, how)
    return judge(
        sides.fake,
        sides.real,
        metrics=names,
        through=through,
        validation=sides.validation,
        sampler=sides.sampler,
        places=sides.places,
        seed=seed,
    )


def gather(
    fake: Samples, real: Samples | None, validation: Samples | None, how: Preparation
) -> Sides:
    """Read every side; float images whose values tell no range take the other side's."""
    run = OpenedRun.at(fake) if isinstance(fake, str | Path) else None
    sampler: Sampler | None
    if run is not None:
        fakes, sampler = run.draw(how), run.sampler()
        how = replace(how, hint=_range_of(fakes))
        reals = run.reals(how) if real is None else _read(real, "real", how)
    else:
        reals = _read(real, "real", how)
        how = replace(how, hint=_range_of(reals))
        fakes, sampler = _fakes(fake, how)
    return Sides(
        fake=fakes,
        real=reals,
        validation=_read(validation, "validation", how),
        sampler=sampler,
        places=None if run is None else places_of(run.source),
    )


def _read(given: Samples | None, side: str, how: Preparation) -> SampleSet | None:
    if given is None or isinstance(given, SampleSet):
        return given
    if isinstance(given, Source):
        return reals_of(given, how, side)
    if isinstance(given, str | Path):
        run = OpenedRun.at(given)
        return read_path(given, side, how) if run is None else run.reals(how, side)
    if isinstance(given, Tensor | ndarray):
        return from_array(given, side, how)
    raise DataError(
        f"{side} must be a path, an array or a tensor, got {type(given).__name__}; give samples."
    )


def _fakes(given: Samples, how: Preparation) -> tuple[SampleSet, Sampler | None]:
    if isinstance(given, tuple) and len(given) == 2 and callable(given[0]) and callable(given[1]):
        sampler = Sampler(given[0], given[1])
        return sampler.draw("fake", how), sampler
    if isinstance(given, nn.Module):
        raise DataError(
            "fake is a network alone; give (generator, latent), with latent a function n -> latents."
        )
    if callable(given) and not isinstance(given, Tensor):
        drawn = Sampler(lambda z: given(len(z)), lambda n: torch.empty(n, 0), origin="function")
        return drawn.draw("fake", how), None
    found = _read(given, "fake", how)
    if found is None:
        raise DataError("fake must be given; name a run, a folder, a file or an array.")
    return found, None


def _range_of(side: SampleSet | None) -> tuple[float, float] | None:
    if side is None or side.kind != "images":
        return None
    low, high = side.preparation["range"]
    return float(low), float(high)


def _usual(fake: SampleSet) -> str:
    return "random" if fake.kind == "images" and min(fake.event[1:]) >= 8 else "pixels"
