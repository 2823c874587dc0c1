"""Evaluation while a run trains: a row of metrics every so many steps, and the best generator kept."""

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from steadygan.data import Latent, Source
from steadygan.data.seeds import mix
from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.catalogue import MEMBERS, chosen, families_of
from steadygan.evaluation.judging import examine
from steadygan.evaluation.maps.sample_map import SampleMap
from steadygan.evaluation.material import Material, Places
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.reading import from_array
from steadygan.evaluation.sample_set import SampleSet
from steadygan.evaluation.scores import Evaluation
from steadygan.probes.randomness import restored_randomness
from steadygan.training.directory import write_json
from steadygan.training.generator_file import save_generator
from steadygan.training.loop import Observer, Signals
from steadygan.training.observers import balanced_labels, generate
from steadygan.training.pictures import bounds_of
from steadygan.training.run import Run
from steadygan.types import Schedule

_SEED = 303
_USUAL = ("precision", "recall", "density", "coverage", "energy_distance")


@dataclass
class Evaluating(Observer):
    """Draws the same latents from the averaged generator at every due step, and measures the samples.

    Rows go to ``metrics.jsonl``. With ``best``, ``best.safetensors`` is the averaged generator of the step
    with the best value so far, and ``best.json`` says which. Nothing of the training moves: samples come
    from a seed of their own, and every global generator is put back. On a GPU the metrics are computed by
    a thread of the processor while training goes on; on a CPU that would only take cores from it.

    Args:
        source, latent: the run's data and prior.
        real: the reals, prepared by ``how``.
        how: the preparation of both sides.
        through: the feature map, fitted.
        metrics: names; empty for precision, recall, density, coverage and energy distance, and modes where
            their places are known.
        seed: of the latents, mixed so that they are none of the training's.
        when: which steps.
        saved: at which steps a checkpoint is written: no row may be missing then.
        best: the metric that chooses; None: keep the last generator only.
        places: centres and width of the modes, where they are known.
        background: compute in a thread.
    """

    source: Source
    latent: Latent
    real: SampleSet
    how: Preparation
    through: SampleMap
    metrics: Sequence[str]
    seed: int
    when: Schedule
    saved: Schedule = lambda step: False
    best: str | None = None
    places: Places | None = None
    background: bool = False
    last: Mapping[str, float] = field(default_factory=dict)
    material: Material | None = None
    _pending: list[tuple[Run, int, dict[str, Tensor], "Future[Evaluation | str]"]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        """Refuse, before training, what could not be measured later."""
        self.asked = bool(self.metrics)
        self.metrics = chosen(self.metrics) if self.metrics else usual_metrics(self.places)
        if self.best is not None:
            if chosen([self.best]) != [self.best] or not MEMBERS[self.best].better[self.best]:
                raise ConfigError(
                    f"evaluate.best must be one metric with a better side, got {self.best!r}; e.g. fid."
                )
            if self.best not in self.metrics:
                self.metrics = [*self.metrics, self.best]
        trial = Material(self.through, self.real, self.real, None, None, self.places, 0)
        for family in families_of(self.metrics):
            family.check(trial)
        self._worker = ThreadPoolExecutor(1) if self.background else None

    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Measure if due; adds no signal."""
        if not run.engine.is_first:
            return {}
        if self.when(run.step):
            self.measure(run)
        self._collect(wait=self.saved(run.step))
        return {}

    def measure(self, run: Run) -> None:
        """Draw samples now, and measure them now or in the background."""
        generator = run.average.generator
        num = min(self.how.num or len(self.real), len(self.real))
        z = self.latent.sample(num, seed=mix(self.seed, _SEED), position=0)
        samples = generate(generator, z, balanced_labels(num, self.source.classes))
        fake = self.source.to_data(samples)
        weights = {}
        if self.best is not None and self._worker is not None:
            weights = {k: v.detach().clone() for k, v in generator.state_dict().items()}
        if self._worker is not None:
            task = self._worker.submit(self._judge, fake)
        else:
            task = Future()
            task.set_result(self._judge(fake))
        self._pending.append((run, run.step, weights, task))
        if self._worker is None:
            self._collect(wait=True)

    def finish(self, run: Run) -> Mapping[str, float]:
        """Measure the last step unless that was done, wait for what is under way; the last metrics."""
        self._collect(wait=True)
        rows = read_rows(run.directory.metrics)
        if not rows or rows[-1].get("step") != run.step:
            self.measure(run)
            self._collect(wait=True)
        elif not self.last:
            kept = {k: v for k, v in rows[-1].items() if k != "step"}
            self.last = {k: float(v) for k, v in kept.items() if isinstance(v, int | float)}
        if self._worker is not None:
            self._worker.shutdown()
        return self.last

    def _judge(self, x: Tensor) -> Evaluation | str:
        """The scores, or why there are none."""
        how = replace(self.how, layout="nchw" if x.dim() == 4 else None)
        # Another thread cannot put generators back that the training is drawing from; what runs there
        # draws from generators of its own.
        same = nullcontext() if self._worker is not None else restored_randomness(None)
        try:
            with same:
                known = bounds_of(self.source.scale)
                fake = from_array(x, "fake", how, origin="averaged generator", known=known)
                found, self.material = examine(
                    fake,
                    self.real,
                    metrics=self.metrics,
                    through=self.through,
                    places=self.places,
                    seed=self.seed,
                )
        except DataError as error:  # samples that are not finite, say: the training's own business
            return str(error)
        return found

    def _collect(self, *, wait: bool) -> None:
        """Write the rows that are ready, in their order."""
        while self._pending and (wait or self._pending[0][3].done()):
            run, step, weights, task = self._pending.pop(0)
            self._write(run, step, weights, task.result())

    def _write(
        self, run: Run, step: int, weights: dict[str, Tensor], found: Evaluation | str
    ) -> None:
        if isinstance(found, str):
            self.last = {}
            if self.asked:
                add_row(run.directory.metrics, {"step": step, "error": found})
            return
        values = {name: rounded(score.value) for name, score in found.metrics.items()}
        self.last = {name: value for name, value in values.items() if value is not None}
        is_best = self.best is not None and self._is_best(run, step)
        intervals = {
            name: [rounded(end) for end in score.interval]
            for name, score in found.metrics.items()
            if score.interval is not None
        }
        features = {k: found.features[k] for k in ("map", "fingerprint", "quantisation")}
        counts = {"n_fake": found.fake["n"], "n_real": len(self.real)}
        row = {"step": step, **self.last, "intervals": intervals, "measured": features | counts}
        add_row(run.directory.metrics, row)
        if is_best:
            self._keep(run, step, weights)

    def _is_best(self, run: Run, step: int) -> bool:
        assert self.best is not None
        if self.best not in self.last:
            return False
        sign = -1 if MEMBERS[self.best].better[self.best] == "higher" else 1
        past = [
            sign * row[self.best]
            for row in read_rows(run.directory.metrics)
            if isinstance(row.get(self.best), int | float) and row.get("step", step) < step
        ]
        return not past or sign * self.last[self.best] < min(past)

    def _keep(self, run: Run, step: int, weights: dict[str, Tensor]) -> None:
        assert self.best is not None
        generator = run.average.generator
        save_generator(
            run.directory.best, generator, self.source, self.latent, weights=weights or None
        )
        told = {"metric": self.best, "value": self.last[self.best], "step": step}
        write_json(run.directory.best.with_suffix(".json"), told)


def usual_metrics(places: Places | None) -> list[str]:
    """What is measured where nothing is asked for."""
    return [*_USUAL, *(("modes", "high_quality") if places is not None else ())]


def add_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append a line."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of rows; none where there is no file."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue  # a torn last line
    return [row for row in rows if isinstance(row, dict)]


def rounded(value: float) -> float | None:
    """Six significant digits; None for what JSON cannot hold."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
