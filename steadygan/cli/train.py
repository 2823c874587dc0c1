"""``steadygan train``: a recipe in, a run directory out; or a run continued."""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steadygan.errors import ConfigError

if TYPE_CHECKING:
    from steadygan.recipes import Summary


@click.command("train")
@click.argument("recipe", required=False)
@click.option("--resume", "resumed", metavar="RUN", help="Continue the run in this directory.")
@click.option("--out", metavar="DIR", help="The run directory [runs/NAME].")
@click.option("--steps", type=click.IntRange(min=1), help="Steps in all; extends a resumed run.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a recipe key.")
@click.option("--data", metavar="PATH", help="Folder or file of data (data.path).")
@click.option("--size", type=click.IntRange(min=1), help="Side of the images (data.size).")
@click.option("--skip-bad", is_flag=True, help="Skip unreadable images and count them.")
@click.option("--checkpoint-every", type=click.IntRange(min=0), metavar="N", help="Steps.")
@click.option("--device", help="auto, cpu, cuda or cuda:N.")
@click.option("--devices", type=click.IntRange(min=1), help="Processes on each machine.")
@click.option("--nodes", type=click.IntRange(min=1), help="Machines.")
@click.option("--tensorboard", is_flag=True, help="Also write TensorBoard events.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON summary at the end.")
def command(
    recipe: str | None,
    resumed: str | None,
    out: str | None,
    steps: int | None,
    seed: int | None,
    settings: tuple[str, ...],
    data: str | None,
    size: int | None,
    skip_bad: bool,
    checkpoint_every: int | None,
    device: str | None,
    devices: int | None,
    nodes: int | None,
    tensorboard: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train RECIPE, a name (see `steadygan list recipes`) or a YAML file, or continue a run.

    \b
    steadygan train digits
    steadygan train my.yaml --set optimizer.g.lr=1e-4 --out runs/mine
    steadygan train images --data photos --size 32
    steadygan train --resume runs/mine --steps 20000
    """
    flags = {
        "steps": steps,
        "seed": seed,
        "data.path": data,
        "data.size": size,
        "data.skip_bad": True if skip_bad else None,
        "checkpoint.every": checkpoint_every,
        "device": device,
        "devices": devices,
        "nodes": nodes,
    }
    changes = [f"{key}={json.dumps(v)}" for key, v in flags.items() if v is not None]
    changes += settings
    is_follower = any(int(os.environ.get(name, 0)) > 0 for name in ("RANK", "LOCAL_RANK"))
    quiet = quiet or as_json or is_follower
    _own_the_process()
    if resumed is not None:
        if out is not None:
            raise ConfigError("--out has no place beside --resume: the run stays where it is.")
        summary = _resume(resumed, recipe, steps, changes, tensorboard, quiet)
    else:
        summary = _start(recipe, out, changes, tensorboard, quiet)
    if as_json and not is_follower:
        print(summary.to_json())
    elif not quiet:
        _tell(summary)
    return 0 if summary.finished else 130


def _own_the_process() -> None:
    """This process does nothing but train; a library call must not change its caller's allocator."""
    from steadygan.training.allocator import keep_freed_memory

    keep_freed_memory()


def _start(
    recipe: str | None, out: str | None, changes: list[str], tensorboard: bool, quiet: bool
) -> "Summary":
    from steadygan.recipes import load_recipe, named_recipes, train

    if recipe is None:
        raise ConfigError(
            f"train needs a recipe: {', '.join(named_recipes())}, or a YAML file; or --resume RUN."
        )
    whole = load_recipe(recipe, changes)
    with _progress(quiet) as watcher:
        return train(whole, out=out, progress=watcher, tensorboard=tensorboard)


def _resume(
    run: str,
    recipe: str | None,
    steps: int | None,
    changes: list[str],
    tensorboard: bool,
    quiet: bool,
) -> "Summary":
    from steadygan.recipes import load_recipe, resume

    own = Path(run) / "recipe.yaml"
    others = [c for c in changes if not c.startswith("steps=")]
    wanted = None
    if own.exists() and (recipe is not None or others):
        wanted = load_recipe(recipe if recipe is not None else own, others)
    with _progress(quiet) as watcher:
        return resume(run, steps=steps, recipe=wanted, progress=watcher, tensorboard=tensorboard)


def _progress(quiet: bool) -> AbstractContextManager[Callable[..., None] | None]:
    if quiet:
        return nullcontext()
    from steadygan.cli.progress import ProgressLine

    return ProgressLine()


def _tell(summary: "Summary") -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not summary.finished:
        console.print(
            f"stopped and saved at step {summary.steps:,}; continue with: "
            f"steadygan train --resume {summary.run}",
            markup=False,
        )
        return
    if summary.num_skipped:
        console.print(f"skipped {summary.num_skipped} unreadable images")
    colour = {"healthy": "green", "warning": "yellow", "failing": "red"}.get(
        summary.verdict, "white"
    )
    console.print(
        f"{summary.steps:,} steps in {summary.seconds:.0f} s, {summary.images_per_s:,.0f} samples/s"
    )
    if summary.metrics:
        console.print("  ".join(f"{name} {value:.3g}" for name, value in summary.metrics.items()))
    if summary.advice:
        console.print(summary.advice, markup=False)
    console.print(f"verdict: [bold {colour}]{summary.verdict}[/]")
    console.print(f"report:  {Path(summary.run) / 'report.html'}", markup=False)
