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
Rescue = Callable[[int, NonFiniteError], bool]


class Observer(ABC):
    """Looks at a run between steps; what it returns joins the step's row of the record."""

    @abstractmethod
    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Called after every step with the step's signals."""

    def after_record(self, run: Run) -> None:
        """Called when the step's row is written, before a checkpoint; the place to change the game."""
        return


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
    rescue: Rescue | None = None,
) -> bool:
    """Train until ``run.step == steps``; True when it got there, False when it was interrupted (and saved).

    Args:
        rescue: asked whether the run may go on without a step that could not be made; None: it may not.

    Raises:
        NonFiniteError: as soon as a gradient is not finite, before any weight moves; nothing is saved after it.
    """
    interrupt = interrupt or Interrupt()
    saved = run.step
    while run.step < steps and not _stops(run, interrupt):
        began = time.perf_counter()
        signals = _advance(run, rescue)
        for observer in observers:
            signals |= observer.after_step(run, signals)
        signals["step_s"] = time.perf_counter() - began
        if record(run.step):
            run.record.append(run.step, signals)
        for observer in observers:
            observer.after_record(run)
        if run.step % 100 == 0:
            run.engine.check_consistency(run.step, (run.game.g, run.game.d))
        if checkpoint(run.step):
            _save(run, keep, rescue)
            saved = run.step
        on_step(run.step, signals)
    if saved != run.step:
        _save(run, keep, rescue)
    return run.step >= steps


def _advance(run: Run, rescue: Rescue | None) -> Signals:
    """One step; where it fails, the terms that were not finite are recorded before the error goes on."""
    try:
        return dict(run.advance().signals)
    except NonFiniteError as error:
        run.record.event("non_finite", cause=str(error))
        if rescue is not None and rescue(run.step + 1, error):
            run.step += 1
            return dict(error.terms)
        run.record.append(run.step + 1, error.terms)
        raise


def _save(run: Run, keep: int, rescue: Rescue | None) -> None:
    """A checkpoint; a step that was void on the device is heard of here."""
    try:
        run.save(keep=keep)
    except NonFiniteError as error:
        if rescue is None or not rescue(run.step, error):
            raise
        run.save(keep=keep)


def _stops(run: Run, interrupt: Interrupt) -> bool:
    """Whether to stop before the next step; several processes agree on it every 16 steps, at a price each time."""
    if run.engine.world == 1:
        return interrupt.requested
    return run.step % 16 == 0 and run.engine.any(interrupt.requested)
