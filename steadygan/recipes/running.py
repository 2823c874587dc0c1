"""From a recipe to a run: start a new one, or continue one that stopped."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from steadygan.errors import ConfigError
from steadygan.recipes.assemble import assemble, start
from steadygan.recipes.environment import describe_environment
from steadygan.recipes.schema import Recipe
from steadygan.recipes.session import Progress, Session, Summary
from steadygan.recipes.sources import dump_recipe, load_recipe
from steadygan.recipes.treating import check_treatable
from steadygan.record import read, truncate_after
from steadygan.record.checkpoint import checkpoint_folders, load_newest
from steadygan.training.directory import RunDirectory, write_json, write_whole
from steadygan.training.engine import make_engine
from steadygan.types import StateDict


def train(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    progress: Progress | None = None,
    tensorboard: bool = False,
) -> Summary:
    """Train a recipe into a new run directory.

    Args:
        recipe: a name (``"digits"``), a YAML file, a mapping, or a ``Recipe``.
        out: the run directory; None: ``runs/NAME``, or ``runs/NAME-2`` … if that is taken.
        overrides: ``"optimizer.g.lr=1e-4"`` and the like.
        progress: called after every step.
        tensorboard: also write the record as TensorBoard events into ``out/tensorboard``.

    Raises:
        ConfigError, DataError: before anything is written.
        NonFiniteError: training stopped; the last good checkpoint and a report are there.

    >>> import tempfile
    >>> summary = train("rings", out=tempfile.mkdtemp() + "/run", overrides=["steps=20"])
    >>> summary.steps, summary.finished
    (20, True)
    """
    whole = load_recipe(recipe, overrides)
    check_treatable(whole)
    _set_threads(whole)
    engine = make_engine(whole.device, devices=whole.devices, nodes=whole.nodes)
    parts = assemble(whole, engine)
    directory = RunDirectory(Path(out) if out is not None else _free_name(whole.name))
    if engine.is_first:
        directory.create()
        write_whole(directory.recipe, dump_recipe(whole))
        write_json(directory.environment, describe_environment(whole, parts.source, engine))
    engine.barrier()
    run = start(whole, parts, directory, engine)
    return Session(whole, parts, run, progress, tensorboard=tensorboard).go()


def resume(
    directory: str | Path,
    *,
    steps: int | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
    tensorboard: bool = False,
) -> Summary:
    """Continue a run from its newest whole checkpoint; on a CPU bit for bit as if it had never stopped.

    Args:
        directory: the run directory.
        steps: a new total, at least the steps done; the change is recorded. Schedules take the new horizon.
        recipe: refuse to continue if this differs from the run's own.

    Raises:
        ConfigError: no run there, another recipe, or fewer steps than done.
        CheckpointError: no usable checkpoint.
    """
    home = RunDirectory(Path(directory))
    if not home.recipe.exists():
        raise ConfigError(
            f"{home.root} holds no run (no recipe.yaml); give the folder `steadygan train` made."
        )
    whole = load_recipe(home.recipe)
    if recipe is not None:
        _refuse_other_recipe(whole, recipe)
    if steps is not None:
        whole = load_recipe(whole, [f"steps={steps}"])
    _set_threads(whole)
    engine = make_engine(whole.device, devices=whole.devices, nodes=whole.nodes)
    done, state = _newest_state(home, whole)
    if whole.steps < done:
        raise ConfigError(
            f"--steps must be at least the {done} steps already done, got {whole.steps}."
        )
    parts = assemble(whole, engine)
    if engine.is_first:
        truncate_after(home.record, done)
        truncate_after(home.metrics, done)
        write_whole(home.recipe, dump_recipe(whole))
    engine.barrier()
    run = start(whole, parts, home, engine)
    if state is not None:
        run.load_state_dict(state)
    if done < whole.steps:
        run.record.event("resumed", at=done, steps=whole.steps)
    return Session(whole, parts, run, progress, tensorboard=tensorboard).go()


def _set_threads(recipe: Recipe) -> None:
    """Before torch starts its worker threads: they inherit the flush of denormals from this one.

    Saturated losses make denormal gradients, and those make a CPU step ten to twenty times slower.
    """
    torch.set_flush_denormal(True)
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)


def _newest_state(home: RunDirectory, recipe: Recipe) -> tuple[int, StateDict | None]:
    """Step and state to continue from; 0 and None for a run killed before its first checkpoint was due."""
    if not checkpoint_folders(home.checkpoints) and home.record.exists():
        recorded = read(home.record).steps
        if not recipe.checkpoint.every or not (recorded >= recipe.checkpoint.every).any():
            return 0, None
    elif not home.record.exists():
        return 0, None
    return load_newest(home.checkpoints)


def _free_name(name: str) -> Path:
    """runs/NAME, runs/NAME-2, …: the first that holds no run."""
    slug = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    candidate, number = Path("runs") / slug, 1
    while (candidate / "recipe.yaml").exists():
        number += 1
        candidate = Path("runs") / f"{slug}-{number}"
    return candidate


def _refuse_other_recipe(own: Recipe, wanted: Recipe) -> None:
    """Name the first difference; the number of steps may differ, since a run may be extended."""
    ours, theirs = _flat(own.model_dump(mode="json")), _flat(wanted.model_dump(mode="json"))
    for key in sorted({*ours, *theirs} - {"steps"}):
        if ours.get(key) != theirs.get(key):
            raise ConfigError(
                f"--resume must keep the run's recipe; {key} is {ours.get(key)!r} there, "
                f"got {theirs.get(key)!r}; start a new run to change it."
            )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
