"""From a recipe to a finished run directory: start or resume, train, then sample, measure, judge and report."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from steadygan.doctor import Diagnosis, Doctor
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.probes import SampleSpace
from steadygan.recipes.assemble import Parts, assemble, start
from steadygan.recipes.environment import describe_environment
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import dump_recipe, load_recipe
from steadygan.record import read, truncate_after
from steadygan.report import write_report
from steadygan.training.checkpoint import checkpoint_folders, load_newest
from steadygan.training.directory import RunDirectory, write_json, write_whole
from steadygan.training.engine import make_engine
from steadygan.training.evaluation import evaluate_generator
from steadygan.training.generator_file import save_generator
from steadygan.training.interrupt import Interrupt
from steadygan.training.loop import Every, Observer, Signals, fit
from steadygan.training.observers import SampleGrids, Watch
from steadygan.training.run import Run
from steadygan.types import StateDict

Progress = Callable[[int, int, Signals, Diagnosis | None], None]
"""Called after every step with the step, the total, its signals and the latest diagnosis."""


@dataclass(frozen=True)
class Summary:
    """What came of a run; the object ``steadygan train --json`` prints."""

    run: str
    steps: int
    verdict: str
    seconds: float
    images_per_s: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    finished: bool = True
    num_skipped: int = 0

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))


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
    return _Session(whole, parts, run, progress, tensorboard=tensorboard).go()


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
        write_whole(home.recipe, dump_recipe(whole))
    engine.barrier()
    run = start(whole, parts, home, engine)
    if state is not None:
        run.load_state_dict(state)
    if done < whole.steps:
        run.record.event("resumed", at=done, steps=whole.steps)
    return _Session(whole, parts, run, progress, tensorboard=tensorboard).go()


class _Session:
    """One sitting of a run: the observers around the loop, and what is written when it ends."""

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        run: Run,
        progress: Progress | None,
        *,
        tensorboard: bool,
    ) -> None:
        self.recipe, self.parts, self.run = recipe, parts, run
        self.progress = progress if run.engine.is_first else None
        self.doctor = Doctor()
        self.grids = SampleGrids(
            parts.source, parts.latent, recipe.samples.num, recipe.seed, Every(recipe.samples.every)
        )
        self._relive()
        run.record.listeners.append(self._examine)
        if tensorboard and run.engine.is_first:
            from steadygan.record.tensorboard import TensorBoardMirror

            run.record.listeners.append(TensorBoardMirror(run.directory.root / "tensorboard"))

    def go(self) -> Summary:
        """Train to the end, or to the interrupt, or to the failure."""
        began, first = time.perf_counter(), self.run.step
        self.diagnosis: Diagnosis | None = None
        try:
            with Interrupt() as interrupt:
                finished = fit(
                    self.run,
                    self.recipe.steps,
                    observers=self._observers(),
                    record=Every(self.recipe.record.every),
                    checkpoint=Every(self.recipe.checkpoint.every),
                    keep=self.recipe.checkpoint.keep,
                    on_step=self._on_step,
                    interrupt=interrupt,
                )
        except NonFiniteError:
            self._close({})
            raise
        finally:
            self.parts.stream.close()
        seconds = time.perf_counter() - began
        images = (self.run.step - first) * self.recipe.batch
        found = self._finish()
        return Summary(
            run=str(self.run.directory.root),
            steps=self.run.step,
            verdict=self.doctor.diagnosis().verdict,
            seconds=round(seconds, 3),
            images_per_s=round(images / max(seconds, 1e-9), 1),
            metrics=found,
            finished=finished,
            num_skipped=getattr(self.parts.source, "num_skipped", 0),
        )

    def _observers(self) -> list[Observer]:
        every, num = self.recipe.probe.every, self.recipe.probe.num
        observers: list[Observer] = [self.grids]
        source = self.parts.source
        if every:
            real, labels = source.reference(2 * num, seed=self.recipe.seed)
            half = len(real) // 2
            latents = self.parts.latent.sample(half, seed=self.recipe.seed, position=2**40)
            device = self.run.engine.device
            probe = SampleSpace(
                real.to(device), latents.to(device), None if labels is None else labels.to(device)
            )
            observers.append(Watch([probe], Every(every)))
        return observers

    def _relive(self) -> None:
        """Show the doctor what the record holds already, so that a resumed run remembers its findings."""
        if self.run.directory.record.exists():
            for row in read(self.run.directory.record).rows():
                self.doctor.update(row)

    def _examine(self, rows: Iterable[Mapping[str, float]]) -> None:
        for row in rows:
            self.doctor.update(row)
        self.diagnosis = self.doctor.diagnosis()

    def _on_step(self, step: int, signals: Signals) -> None:
        if self.progress is not None:
            self.progress(step, self.recipe.steps, signals, self.diagnosis)

    def _finish(self) -> dict[str, float]:
        """The generator, its metrics and its samples; then the papers."""
        if not self.run.engine.is_first:
            return {}
        generator = self.run.average.generator
        save_generator(
            self.run.directory.generator, generator, self.parts.source, self.parts.latent
        )
        if not self.run.directory.samples(self.run.step).exists():
            self.grids.draw(self.run)
        found: dict[str, float] = {}
        if self.recipe.evaluate.num:
            found = evaluate_generator(
                generator,
                self.parts.source,
                self.parts.latent,
                self.recipe.evaluate.num,
                seed=self.recipe.seed,
            )
        self._close(found)
        return found

    def _close(self, found: Mapping[str, float]) -> None:
        """Write metrics, diagnosis and report; what is there is whole."""
        self.run.record.close()
        if not self.run.engine.is_first:
            return
        directory = self.run.directory
        if found:
            _add_metrics(directory.metrics, {"step": self.run.step, **found})
        write_whole(directory.diagnosis, self.doctor.diagnosis().to_json() + "\n")
        write_report(directory.root)


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


def _add_metrics(path: Path, row: Mapping[str, float]) -> None:
    """Append a line, unless it repeats the last one (a finished run that was resumed)."""
    line = json.dumps(row) + "\n"
    if not path.exists() or not path.read_text().endswith(line):
        with path.open("a") as file:
            file.write(line)


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
