"""One sitting of a run: the observers around the loop, and what is written when it ends."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from steadygan.doctor import Diagnosis, Doctor
from steadygan.errors import DataError, NonFiniteError
from steadygan.probes import Discriminator, Probe, SampleSpace
from steadygan.recipes.assemble import Parts
from steadygan.recipes.schema import Recipe
from steadygan.record import read
from steadygan.report import write_report
from steadygan.training.directory import write_whole
from steadygan.training.evaluation import evaluate_generator
from steadygan.training.generator_file import save_generator
from steadygan.training.interrupt import Interrupt
from steadygan.training.loop import Every, Observer, Signals, fit
from steadygan.training.observers import SampleGrids, Watch
from steadygan.training.run import Run

Progress = Callable[[int, int, Signals, Diagnosis | None], None]
"""Called after every step with the step, the total, its signals and the latest diagnosis."""


_PROBE_POSITION = 2**40  # of the latent stream: far from any batch


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


class Session:
    """Trains a run from where it stands, then samples, measures, judges and reports."""

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
        if every:
            try:
                observers.append(Watch(self._probes(num), Every(every)))
            except (
                DataError
            ) as error:  # a point mass, or a handful of samples: nothing to compare with
                self.run.record.event("not_probed", reason=str(error))
        return observers

    def _probes(self, num: int) -> list[Probe]:
        """Probes on 2·num reals and as many latents as half of them, all fixed for the run.

        The first half of the reals fits the feature map, the second is what samples and D are measured on.
        """
        real, labels = self.parts.source.reference(2 * num, seed=self.recipe.seed)
        half = len(real) // 2
        latents = self.parts.latent.sample(half, seed=self.recipe.seed, position=_PROBE_POSITION)
        device = self.run.engine.device
        real, latents = real.to(device), latents.to(device)
        labels = None if labels is None else labels.to(device)
        of_second = None if labels is None else labels[half:]
        return [
            SampleSpace(real, latents, labels),
            Discriminator(real[half:], latents, of_second),
        ]

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
        found = self._evaluate() if self.recipe.evaluate.num else {}
        self._close(found)
        return found

    def _evaluate(self) -> dict[str, float]:
        """The metrics; none where the data has nothing to measure against (a point mass, a handful of samples)."""
        try:
            return evaluate_generator(
                self.run.average.generator,
                self.parts.source,
                self.parts.latent,
                self.recipe.evaluate.num,
                seed=self.recipe.seed,
            )
        except DataError:
            return {}

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


def _add_metrics(path: Path, row: Mapping[str, float]) -> None:
    """Append a line, unless it repeats the last one (a finished run that was resumed)."""
    line = json.dumps(row) + "\n"
    if not path.exists() or not path.read_text().endswith(line):
        with path.open("a") as file:
            file.write(line)
