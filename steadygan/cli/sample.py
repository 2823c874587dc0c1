"""``steadygan sample``: samples from a finished run's generator, as a picture or an array."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steadygan.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from steadygan.data import Scale

_FORMATS = ("png", "npz")


@click.command("sample")
@click.argument("run")
@click.option("-n", "--num", type=click.IntRange(min=1), default=64, help="How many [64].")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the latents [0].")
@click.option("--out", metavar="FILE", help="Where to [samples.png, or .npz].")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="png or npz [FILE's ending].")
@click.option("--label", type=click.IntRange(min=0), help="Only this class (conditional runs).")
@click.option("--best", is_flag=True, help="The best by evaluate.best instead of the last.")
@click.option("--live", is_flag=True, help="The live generator instead of the averaged one.")
def command(
    run: str,
    num: int,
    seed: int,
    out: str | None,
    form: str | None,
    label: int | None,
    best: bool,
    live: bool,
) -> None:
    """Draw samples from RUN's generator.

    An .npz file holds `samples`, float32 in the data's own units: [n, channels, height, width] or
    [n, features]; and `labels` for conditional runs.
    """
    from steadygan.recipes.sampling import draw_samples

    if best and live:
        raise ConfigError("--best and --live exclude each other: the best is an average.")
    path = Path(out or f"samples.{form or 'png'}")
    form = form or path.suffix.removeprefix(".")
    if form not in _FORMATS:
        raise ConfigError(f"--out must end in .png or .npz, got {path}; or give --format.")
    samples, labels, scale = draw_samples(run, num, seed=seed, label=label, live=live, best=best)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "npz":
            _write_arrays(path, samples, labels)
        else:
            _write_picture(path, samples, scale)
    except OSError as error:
        raise ConfigError(f"--out {path} cannot be written ({error.strerror}).") from error
    print(path)


def _write_arrays(path: Path, samples: "Tensor", labels: "Tensor | None") -> None:
    import numpy as np

    arrays = {"samples": samples.numpy()}
    if labels is not None:
        arrays["labels"] = labels.numpy()
    with path.open("wb") as file:  # numpy would append .npz to a name without it
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _write_picture(path: Path, samples: "Tensor", scale: "Scale") -> None:
    from steadygan.training.pictures import bounds_of, picture

    picture(samples, bounds_of(scale)).save(path, format="PNG")
