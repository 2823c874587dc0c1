"""Both sides of a comparison, from whatever was given: paths, runs, arrays, generators."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from numpy import ndarray
from numpy.typing import NDArray
from torch import Tensor, nn

from steadygan.data import Source
from steadygan.errors import DataError
from steadygan.evaluation.material import Places
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.reading import from_array, read_path
from steadygan.evaluation.sample_set import SampleSet
from steadygan.evaluation.sampler import Sampler
from steadygan.recipes.opened_run import OpenedRun, places_of, reals_of

Array = Tensor | NDArray[Any]
GeneratorAndLatent = tuple[Callable[[Tensor], Any], Callable[[int], Any]]
Samples = str | Path | Array | GeneratorAndLatent | Callable[[int], Any] | SampleSet | Source


@dataclass(frozen=True, eq=False)
class Sides:
    """What FAKE, REAL and VALIDATION turned out to be."""

    fake: SampleSet
    real: SampleSet | None
    validation: SampleSet | None
    sampler: Sampler | None
    places: Places | None


def gather(
    fake: Samples, real: Samples | None, validation: Samples | None, how: Preparation
) -> Sides:
    """Read every side; float images whose values tell no range take the other side's."""
    run = OpenedRun.at(fake) if isinstance(fake, str | Path) else None
    sampler: Sampler | None
    if run is not None:
        how = replace(how, hint=run.range)
        reals = run.reals(how) if real is None else _read(real, "real", how)
        fakes, sampler = run.draw(_as_many(how, reals)), run.sampler()
    else:
        reals = _read(real, "real", how)
        how = replace(how, hint=_range_of(reals))
        fakes, sampler = _fakes(fake, how, reals)
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


def _as_many(how: Preparation, reals: SampleSet | None) -> Preparation:
    """A generator draws as many samples as there are reals: most metrics depend on both counts."""
    return how if reals is None else replace(how, num=min(how.num or len(reals), len(reals)))


def _fakes(
    given: Samples, how: Preparation, reals: SampleSet | None
) -> tuple[SampleSet, Sampler | None]:
    if isinstance(given, tuple):
        sampler = Sampler(given[0], given[1])
        return sampler.draw("fake", _as_many(how, reals)), sampler
    if isinstance(given, nn.Module):
        raise DataError(
            "fake is a network alone; give (generator, latent), with latent a function n -> latents."
        )
    if not isinstance(given, str | Path | Tensor | ndarray | tuple | SampleSet | Source | None):
        draw = given
        drawn = Sampler(lambda z: draw(len(z)), lambda n: torch.empty(n, 0), origin="function")
        return drawn.draw("fake", _as_many(how, reals)), None
    found = _read(given, "fake", how)
    if found is None:
        raise DataError("fake must be given; name a run, a folder, a file or an array.")
    return found, None


def _range_of(side: SampleSet | None) -> tuple[float, float] | None:
    if side is None or side.kind != "images":
        return None
    low, high = side.preparation["range"]
    return float(low), float(high)


def usual_features(fake: SampleSet) -> str:
    """What "auto" stands for."""
    return "random" if fake.kind == "images" and min(fake.event[1:]) >= 8 else "pixels"
