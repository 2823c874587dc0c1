"""Before two loops race, they must take the same steps."""

import torch
from torch import Tensor, nn

from benchmarks.plain import PlainLoop
from steadygan.data import Stream
from steadygan.training.run import Run
from steadygan.types import Batch

STEPS = 3
TOLERANCE = 1e-8


@torch.no_grad()
def _answers(g: nn.Module, d: nn.Module, draw: Stream) -> tuple[Tensor, Tensor]:
    """Samples, and logits up to a constant: a relativistic loss does not fix D's last bias, so rounding moves it."""
    batch = draw.at(0)
    logits = d(batch.x.double())
    return g.eval()(batch.z.double()), logits - logits.mean()


def largest_difference(plain: PlainLoop, run: Run, steps: int = STEPS) -> float:
    """The largest relative difference of samples and logits after both took the same steps, in float64.

    Works on both in place: race with fresh ones.

    Raises:
        AssertionError: where they differ by more than rounding.
    """
    draw = run.stream
    for network in (plain.g, plain.d, run.game.g, run.game.d):
        network.double()
    for _ in range(steps):
        for_d, for_g = draw.at(draw.position), draw.at(draw.position + 1)
        plain.step(*(t.clone().double() for t in (for_d.x, for_d.z, for_g.x, for_g.z)))
        run.rule.step(run.game, lambda: _double(draw()), run.step + 1)
        run.step += 1
    theirs = _answers(plain.g, plain.d, draw)
    ours = _answers(run.game.g, run.game.d, draw)
    difference = max(
        float((a - b).abs().max() / a.abs().max()) for a, b in zip(theirs, ours, strict=True)
    )
    assert difference < TOLERANCE, f"the loops disagree by {difference:.1e} after {steps} steps"
    return difference


def _double(batch: Batch) -> Batch:
    return batch._replace(x=batch.x.double(), z=batch.z.double())
