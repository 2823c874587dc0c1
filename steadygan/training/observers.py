"""What looks at a run between steps: pictures of its samples, and measurements for the doctor."""

from dataclasses import dataclass

import torch
from torch import Tensor

from steadygan.data import Latent, Source
from steadygan.data.seeds import mix
from steadygan.monitor.bedside import Bedside
from steadygan.training.loop import Observer, Signals
from steadygan.training.pictures import bounds_of, picture, save_picture
from steadygan.training.run import Run
from steadygan.types import Labels, Schedule

_PICTURE_SEED = 202
_POINTS = 2000  # in a scatter plot: enough to see the shape of a distribution


@dataclass
class SampleGrids(Observer):
    """Draws the same latents from the averaged generator again and again, and keeps the pictures.

    Args:
        source: gives the data's units, and reals to draw points over.
        latent: the prior.
        num: images in a picture; of points, 2,000 are drawn.
        seed: of the latents.
        when: which steps.
    """

    source: Source
    latent: Latent
    num: int
    seed: int
    when: Schedule

    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Draw if due; adds no signal."""
        if self.when(run.step) and run.engine.is_first:
            self.draw(run)
        return {}

    def draw(self, run: Run) -> None:
        """Write the picture of the current step."""
        is_points = len(self.source.event) != 3
        num = max(self.num, _POINTS) if is_points else self.num
        z = self.latent.sample(num, seed=mix(self.seed, _PICTURE_SEED), position=0)
        samples = generate(run.average.generator, z, balanced_labels(num, self.source.classes))
        reals = self.source.reference(_POINTS, seed=0)[0] if is_points else None
        sheet = picture(
            self.source.to_data(samples),
            bounds_of(self.source.scale),
            None if reals is None else self.source.to_data(reals),
        )
        save_picture(sheet, run.directory.samples(run.step))


@dataclass
class Watch(Observer):
    """Asks the bedside for its measurements on a schedule; they join the step's row.

    What the step itself has measured, D's mean logits on its batch say, stays as it is: a column of the
    record is one quantity.

    Args:
        bedside: the probes.
        when: at which steps; the first step is always measured, as the baseline.
    """

    bedside: Bedside
    when: Schedule

    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Measure if due."""
        if not self._is_due(run.step):
            return {}
        found = self.bedside.measure(run.step)
        return {name: value for name, value in found.items() if name not in signals}

    def resume(self, run: Run) -> None:
        """Look again where an earlier sitting looked last, so that the next look can tell what has moved.

        Only where the run stands at such a step: its samples are then those of that look, to the bit.
        """
        if run.step and self._is_due(run.step):
            self.bedside.measure(run.step)

    def _is_due(self, step: int) -> bool:
        return step == 1 or self.when(step)


@torch.no_grad()
def generate(
    generator: torch.nn.Module, z: Tensor, y: Labels | None = None, *, chunk: int = 256
) -> Tensor:
    """Samples in the network's scale on the CPU, a chunk at a time, by a generator in evaluation mode."""
    device = next(generator.parameters()).device
    parts = []
    for start in range(0, len(z), chunk):
        part = z[start : start + chunk].to(device)
        labels = None if y is None else y[start : start + chunk].to(device)
        parts.append((generator(part) if labels is None else generator(part, labels)).float().cpu())
    return torch.cat(parts)


def balanced_labels(num: int, classes: int) -> Labels | None:
    """0, 1, …, classes − 1, 0, 1, …; None without classes."""
    return torch.arange(num) % classes if classes else None
