"""The loop: draw, step, record, look, save."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from steadygan.errors import NonFiniteError
from steadygan.training.interrupt import Interrupt
from steadygan.training.run import Run
from steadygan.types import Schedule

Signals = dict[str, Tensor | float]


class Observer(ABC):
    """Looks at a run between steps; what it returns joins the step's row of the record."""

    @abstractmethod
    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Called after every step with the step's signals."""


@dataclass(frozen=True)
class Every:
    """The schedule "every n steps"; n = 0 is never."""

    num: int

    def __call__(self, step: int) -> bool:
        """Whether ``step`` is due."""
        return self.num > 0 and step % self.num == 0


def fit(
    run: Run,
    steps: int,
    *,
    observers: Sequence[Observer] = (),
    record: Schedule = Every(1),
    checkpoint: Schedule = Every(1000),
    keep: int = 2,
    on_step: Callable[[int, Signals], None] = lambda step, signals: None,
    interrupt: Interrupt | None = None,
) -> bool:
    """Train until ``run.step == steps``; True when it got there, False when it was interrupted (and saved).

    Raises:
        NonFiniteError: as soon as a gradient is not finite, before any weight moves; nothing is saved after it.
    """
    interrupt = interrupt or Interrupt()
    saved = run.step
    while run.step < steps and not _stops(run, interrupt):
        began = time.perf_counter()
        signals = _advance(run)
        for observer in observers:
            signals |= observer.after_step(run, signals)
        signals["step_s"] = time.perf_counter() - began
        if record(run.step):
            run.record.append(run.step, signals)
        if run.step % 100 == 0:
            run.engine.check_consistency(run.step, (run.game.g, run.game.d))
        if checkpoint(run.step):
            run.save(keep=keep)
            saved = run.step
        on_step(run.step, signals)
    if saved != run.step:
        run.save(keep=keep)
    return run.step >= steps


def _advance(run: Run) -> Signals:
    """One step; where it fails, the terms that were not finite are recorded before the error goes on."""
    try:
        return dict(run.advance().signals)
    except NonFiniteError as error:
        run.record.event("non_finite", cause=str(error))
        run.record.append(run.step + 1, error.terms)
        raise


def _stops(run: Run, interrupt: Interrupt) -> bool:
    """Whether to stop before the next step; several processes agree on it every 16 steps, at a price each time."""
    if run.engine.world == 1:
        return interrupt.requested
    return run.step % 16 == 0 and run.engine.any(interrupt.requested)
