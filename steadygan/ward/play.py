"""Play a case: train it under a watch, ask the oracle as it goes, keep the record."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from steadygan.data import Latent, Source, Stream
from steadygan.data.array_source import ArraySource
from steadygan.doctor import examine
from steadygan.errors import SteadyganError
from steadygan.metrics.truth import Reading
from steadygan.monitor import Monitor
from steadygan.recipes import Recipe, load_recipe
from steadygan.recipes.assemble import Parts, assemble, make_source
from steadygan.recipes.construct import construct
from steadygan.record import read
from steadygan.training.engine import make_engine
from steadygan.types import Labels
from steadygan.updates import Alternating
from steadygan.ward.arms import ARMS, Arm
from steadygan.ward.case import Case, Pool
from steadygan.ward.course import Course
from steadygan.ward.faults import FAULTS, Ongoing
from steadygan.ward.loop import Unguarded
from steadygan.ward.oracle import Oracle

Drawn = torch.Tensor | tuple[torch.Tensor, ...]

_READINGS = 40
_HELD_OUT = 256
_LATENTS = 800
_POOL = 4096
_FAR = 2**30  # of the source: reals that no training of ours gets to
_WITH_LABELS = frozenset({"digits", "array_file"})
_POSITION = 2**41  # of the latent stream: far from any batch and from the watch
_LIMIT = 1e15  # weights beyond are about to be infinite; a plain loop would crawl on


def play(
    case: Case,
    seed: int,
    folder: Path,
    data: Path | None = None,
    budget: float | None = None,
    arm: str | None = None,
) -> Course:
    """Train the case and keep its record; seconds to a minute on one core.

    Args:
        case, seed: what to train.
        folder: where record.jsonl and course.json go; must not hold a record.
        data: the folder of data files, for the cases that need one.
        budget: of the watch, as a share of the step time; None: the cadence of the case, the same in
            every run.
        arm: a name of ``ARMS``: treat it so, for twice as many steps. None: watch it.

    Raises:
        ConfigError, DataError: for a case that cannot be.
    """
    began = time.perf_counter()
    torch.set_flush_denormal(True)
    recipe = case.recipe(seed, data)
    parts = assemble(recipe, make_engine("cpu", devices=1, nodes=1))
    truth = labelled(recipe, parts.source)
    source, held_out = _seen(parts.source, truth, case.pool, seed)
    stream = Stream(source, parts.latent, recipe.batch, seed=seed)
    run = Ongoing(parts.game, _unguarded(parts), stream)
    oracle = Oracle.of(truth, case.pool.only)
    treatment = ARMS[arm or "nothing"](lambda other: _afresh(recipe, other), seed)
    steps = recipe.steps if arm is None else 2 * recipe.steps
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # A fault of step 1 is what the training is like: the watch meets it as it is.
        _spoil(run, case, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = _given(case, source, held_out, parts.latent, seed, folder, budget)
            monitor = treatment.attend(run, given)
        with monitor:
            readings = _train(
                run,
                case,
                steps,
                monitor,
                treatment,
                _reader(oracle, parts, truth, case.pool.only, seed),
            )
        live = replace(monitor.diagnosis(), treatments=()).to_json()
    finally:
        stream.close()
    course = Course(
        case=case.name,
        seed=seed,
        steps=monitor.step,
        readings=tuple(readings),
        same_live=live == examine(read(folder / "record.jsonl")).to_json(),
        seconds=time.perf_counter() - began,
    )
    course.save(folder)
    return course


def _train(
    run: Ongoing,
    case: Case,
    steps: int,
    monitor: Monitor,
    arm: Arm,
    read: Callable[[int, nn.Module], Reading],
) -> list[Reading]:
    every = max(1, math.ceil(steps / _READINGS))
    readings = []
    for step in range(1, steps + 1):
        if step > 1:
            _spoil(run, case, step)
        found = run.rule.step(run.game, run.draw, step).signals
        monitor.log(**{name: found[name] for name in ("loss_d", "loss_g")})
        arm.after(step, run, monitor)
        if step % every == 0 or step == steps:
            readings.append(read(step, arm.generator(run, monitor)))
            if not _is_bounded(run):
                break
    return readings


def _spoil(run: Ongoing, case: Case, step: int) -> None:
    for fault in case.faults:
        if fault.at == step:
            construct(
                FAULTS,
                "fault",
                fault.name,
                fault.options,
                where=f"case {case.name} faults.{fault.name}",
                given={"run": run},
            )


def _afresh(recipe: Recipe, other: int) -> Parts:
    """The parts of the same recipe, set up with another seed."""
    changed = recipe.model_copy(update={"seed": recipe.seed + 1000 * other})
    return assemble(changed, make_engine("cpu", devices=1, nodes=1))


def _given(
    case: Case,
    source: Source,
    held_out: tuple[torch.Tensor, ...],
    latent: Latent,
    seed: int,
    folder: Path,
    budget: float | None,
) -> dict[str, Any]:
    """What ``watch`` is given."""

    def real(num: int) -> Drawn:
        x, y = source.reference(num, seed=seed)
        return x if y is None else (x, y)

    def latents(num: int) -> Drawn:
        z = latent.sample(num, seed=seed, position=_POSITION // 2)
        _, y = source.reference(num, seed=seed + 1)
        return z if y is None else (z, y[torch.arange(num) % len(y)])

    return {
        "real": real,
        "latent": latents,
        "validation": held_out if case.validation else None,
        "every": case.every,
        "probe_every": case.probe_every,
        "record": folder / "record.jsonl",
        "budget": budget,
    }


def _reader(
    oracle: Oracle, parts: Parts, truth: Source, only: tuple[int, ...], seed: int
) -> Callable[[int, nn.Module], Reading]:
    z = parts.latent.sample(_LATENTS, seed=seed, position=_POSITION)
    labels: Labels | None = None
    if parts.source.classes:
        _, y = _kept(*truth.reference(2 * _LATENTS, seed=seed + 2), only)
        labels = None if y is None else y[torch.arange(_LATENTS) % len(y)]
    return lambda step, g: oracle.read(step, g, z, labels)


def _unguarded(parts: Parts) -> Alternating:
    rule = parts.rule
    if not isinstance(rule, Alternating):
        raise SteadyganError(f"the ward plays alternating steps, got {type(rule).__name__}.")
    return Unguarded(rule.players["g"], rule.players["d"], d_steps=rule.d_steps)


def labelled(recipe: Recipe, source: Source) -> Source:
    """The recipe's data with its labels, if there are any, for the oracle alone."""
    if source.classes or recipe.data.name not in _WITH_LABELS:
        return source
    return make_source(load_recipe(recipe, ["data.labels=true"]))


def _seen(
    source: Source, truth: Source, pool: Pool, seed: int
) -> tuple[Source, tuple[torch.Tensor, ...]]:
    """What the training draws from, and reals that it never sees."""
    if source.size is None and pool == Pool():
        return source, _pair(*source.draw(_FAR, _HELD_OUT, seed=seed))
    x, y = _kept(*truth.reference(truth.size or _POOL, seed=seed), pool.only)
    if not source.classes:
        y = None
    num = min(_HELD_OUT, len(x) // 4)
    last = None if pool.num is None else num + pool.num
    seen = ArraySource(
        x[num:last],
        None if y is None else y[num:last],
        scale=source.scale,
        classes=source.classes,
    )
    return seen, _pair(x[:num], None if y is None else y[:num])


def _kept(
    x: torch.Tensor, y: torch.Tensor | None, only: tuple[int, ...]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The samples of these classes; all of them if none are named."""
    if not only or y is None:
        return x, y
    chosen = torch.isin(y, torch.tensor(only))
    return x[chosen], y[chosen]


def _pair(x: torch.Tensor, y: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
    return (x,) if y is None else (x, y)


def _is_bounded(run: Ongoing) -> bool:
    """Whether weights are still numbers that can be trained."""
    with torch.no_grad():
        norms = torch.stack(
            [p.abs().max() for net in (run.game.g, run.game.d) for p in net.parameters()]
        )
    return bool((norms < _LIMIT).all())
