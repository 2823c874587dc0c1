"""One sitting of a run: the observers around the loop, and what is written when it ends."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from steadygan.data import Dirac
from steadygan.doctor import Diagnosis
from steadygan.errors import NonFiniteError
from steadygan.evaluation.sheets import draw_sheets, save_sheets
from steadygan.monitor.bedside import Bedside, together, usual_probes
from steadygan.monitor.chart import Chart
from steadygan.monitor.rehearsal import preflight
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.recipes.assemble import Parts
from steadygan.recipes.evaluated import make_evaluating
from steadygan.recipes.schema import Recipe
from steadygan.recipes.treating import Treating
from steadygan.report import write_report
from steadygan.training.directory import write_whole
from steadygan.training.generator_file import save_generator
from steadygan.training.interrupt import Interrupt
from steadygan.training.layer_norms import LayerNorms
from steadygan.training.loop import Every, Observer, Signals, fit
from steadygan.training.observers import SampleGrids, Watch
from steadygan.training.run import Run

Progress = Callable[[int, int, Signals, Diagnosis | None], None]
"""Called after every step with the step, the total, its signals and the latest diagnosis."""


_REHEARSED = 256  # reals that preflight looks at
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
    advice: str = ""

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
        self.chart = Chart(run.directory.record, run.record, is_live=True)
        self.bedside = self._bedside(recipe.probe.num if recipe.probe.every else 0)
        self.treating: Treating | None = None
        if recipe.autopilot:
            self.treating = Treating(recipe, parts, run, self.chart, self.bedside)
            run.treat_by(self.treating)
        self.grids = SampleGrids(
            parts.source, parts.latent, recipe.samples.num, recipe.seed, Every(recipe.samples.every)
        )
        self.evaluating = make_evaluating(recipe, parts, run) if run.engine.is_first else None
        if tensorboard and run.engine.is_first:
            from steadygan.record.tensorboard import TensorBoardMirror

            run.record.listeners.append(TensorBoardMirror(run.directory.root / "tensorboard"))

    def go(self) -> Summary:
        """Train to the end, or to the interrupt, or to the failure."""
        began, first = time.perf_counter(), self.run.step
        if first == 0 and self.run.engine.is_first:
            self._preflight()
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
                    rescue=None if self.treating is None else self.treating.rescue,
                )
        except NonFiniteError:
            self._close()
            raise
        finally:
            self.parts.stream.close()
        seconds = time.perf_counter() - began
        images = (self.run.step - first) * self.recipe.batch
        if finished:
            self._mark_end()
        found = self._finish()
        return Summary(
            run=str(self.run.directory.root),
            steps=self.run.step,
            verdict=self.bedside.diagnosis().verdict,
            seconds=round(seconds, 3),
            images_per_s=round(images / max(seconds, 1e-9), 1),
            metrics=found,
            finished=finished,
            num_skipped=getattr(self.parts.source, "num_skipped", 0),
            advice="" if self.treating is None else self.treating.advice(),
        )

    def _preflight(self) -> None:
        """What is wrong before step 1 goes into the record; the training is left to the person to stop."""
        game, rule = self.run.game, self.run.rule
        real, labels = self.parts.source.reference(_REHEARSED, seed=self.recipe.seed)
        z = self.parts.latent.sample(
            len(real), seed=self.recipe.seed, position=_PROBE_POSITION + len(real)
        )
        found = preflight(
            game.g,
            game.d,
            rule.players["g"].optimizer,
            rule.players["d"].optimizer,
            real=real if labels is None else (real, labels),
            latent=z if labels is None else (z, labels),
            objective=game.objective,
            penalties=game.penalties,
            constraints=game.constraints,
        )
        if isinstance(self.parts.source, Dirac):  # all reals are the same on purpose
            kept = (f for f in found.findings if f.evidence[0].signal != "distinct_reals")
            found = replace(found, findings=tuple(kept))
        self.chart.note_preflight(found)

    def _observers(self) -> list[Observer]:
        observers: list[Observer] = [self.grids]
        if self.recipe.probe.every:
            watch = Watch(self.bedside, Every(self.recipe.probe.every))
            if self.treating is None:  # it remembers what the last look saw
                watch.resume(self.run)
            observers += [watch, LayerNorms(self.run, Every(self.recipe.probe.every))]
        if self.treating is not None:
            observers.append(self.treating)
        if self.evaluating is not None:
            observers.append(self.evaluating)
        return observers

    def _bedside(self, num: int) -> Bedside:
        """Probes on 2·num reals and as many latents as half of them, all fixed for the run; none for 0.

        The first half of the reals fits the feature map, the second is what samples and D are measured on.
        """
        game = self.run.game
        parts = {"generator": type(game.g).__name__, "discriminator": type(game.d).__name__}
        g, d = Generator(game.g, None), Discriminator(game.d, None)
        if not num:
            return Bedside(g, d, [], self.chart, parts)
        real, labels = self.parts.source.reference(2 * num, seed=self.recipe.seed)
        half = len(real) // 2
        latents = self.parts.latent.sample(half, seed=self.recipe.seed, position=_PROBE_POSITION)
        device = self.run.engine.device
        real, latents = real.to(device), latents.to(device)
        with_them = () if labels is None else (labels[half:].to(device),)
        g.labels = tuple(y[: len(latents)] for y in with_them)
        # A point mass, or a handful of samples, is nothing to compare with: the record is told.
        probes, _ = usual_probes(
            self.chart,
            latents,
            compared=real,
            judged=(real[half:], *with_them),
            fake_labels=g.labels,
        )
        return Bedside(g, d, probes, self.chart, parts, together(real))

    def _on_step(self, step: int, signals: Signals) -> None:
        if self.progress is not None:
            latest = self.chart.latest
            if self.treating is not None and latest is not None:
                latest = self.treating.told(latest)
            self.progress(step, self.recipe.steps, signals, latest)

    def _mark_end(self) -> None:
        """Where the last step was not due for a row, give it one: who follows the record waits for it."""
        if self.chart.last_step < self.run.step:
            self.run.record.event("finished", at=self.run.step)
            self.run.record.append(self.run.step, {})

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
        found = self.evaluating.finish(self.run) if self.evaluating is not None else {}
        self._draw_evaluation()
        self._close()
        return dict(found)

    def _draw_evaluation(self) -> None:
        """Nearest neighbours and dropped reals, for the report."""
        if self.evaluating is not None and self.evaluating.material is not None:
            sheets = draw_sheets(self.evaluating.material)
            save_sheets(sheets, self.run.directory.evaluation)

    def _close(self) -> None:
        """Write diagnosis and report; what is there is whole."""
        self.chart.close()
        if not self.run.engine.is_first:
            return
        directory = self.run.directory
        found = self.bedside.diagnosis()
        if self.treating is not None:
            found = self.treating.told(found)
            if advice := self.treating.advice():
                write_whole(directory.advice, advice + "\n")
        write_whole(directory.diagnosis, found.to_json() + "\n")
        write_report(directory.root)
