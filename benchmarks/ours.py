"""Our step with everything a run has: stream, record, weight average, guards, fused Adam, channels_last."""

import copy
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.plain import Mathematics
from steadygan.data import Latent, Stream
from steadygan.data.array_source import ArraySource
from steadygan.data.scale import Interval
from steadygan.game import Game
from steadygan.networks.averaging import WeightAverage
from steadygan.objectives import NonSaturating, Objective, Relativistic
from steadygan.penalties import R1, R2, Penalty
from steadygan.record import RecordWriter
from steadygan.training.directory import RunDirectory
from steadygan.training.run import Run
from steadygan.updates import Alternating, UpdateRule

Rule = Callable[[torch.optim.Optimizer, torch.optim.Optimizer], UpdateRule]


def objective_and_penalties(mathematics: Mathematics) -> tuple[Objective, list[Penalty]]:
    """Our parts for the game that ``PlainLoop`` spells out."""
    objective: Objective = Relativistic() if mathematics.relativistic else NonSaturating()
    weight = mathematics.penalty
    return objective, [R1(weight), R2(weight)] if weight else []


def make_run(
    g: nn.Module,
    d: nn.Module,
    stored: Tensor,
    latent: int,
    batch: int,
    mathematics: Mathematics,
    *,
    rule: Rule = Alternating,
) -> Run:
    """A run of the game that ``PlainLoop`` plays, from copies of these networks."""
    objective, penalties = objective_and_penalties(mathematics)
    g, d = copy.deepcopy(g), copy.deepcopy(d)
    return make_run_of(g, d, stored, latent, batch, objective, penalties, rule=rule)


def make_run_of(
    g: nn.Module,
    d: nn.Module,
    stored: Tensor,
    latent: int,
    batch: int,
    objective: Objective,
    penalties: Iterable[Penalty] = (),
    *,
    rule: Rule = Alternating,
    betas: tuple[float, float] = (0.0, 0.99),
    d_channels_last: bool = True,
) -> Run:
    """A run of these networks, its record in a temporary folder."""
    images = stored.ndim == 4
    if images:
        g.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if images and d_channels_last:
        d.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = partial(torch.optim.Adam, lr=2e-4, betas=betas, fused=True)
    folder = Path(tempfile.mkdtemp(prefix="steadygan-benchmark-"))
    source = ArraySource(stored, None, scale=Interval(0.0, 255.0))
    return Run(
        game=Game(g, d, objective, penalties),
        rule=rule(adam(g.parameters()), adam(d.parameters())),
        stream=Stream(source, Latent(latent), batch, seed=0, channels_last=images),
        average=WeightAverage(g, half_life=10_000, batch=batch),
        record=RecordWriter(folder / "record.jsonl"),
        directory=RunDirectory(folder),
    )


def step_of(run: Run) -> Callable[[], None]:
    """What ``training.fit`` does in a step: advance, and record the signals with the step's time."""

    def step() -> None:
        began = time.perf_counter()
        signals = dict(run.advance().signals)
        signals["step_s"] = time.perf_counter() - began
        run.record.append(run.step, signals)

    return step
