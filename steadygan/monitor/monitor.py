"""The monitor: listens to two optimizers, cuts their steps into iterations, measures, records, examines."""

import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from steadygan.doctor import Diagnosis
from steadygan.errors import CheckpointError, SteadyganError
from steadygan.monitor.budget import Budget
from steadygan.monitor.chart import Chart
from steadygan.monitor.foreign import Discriminator, Generator
from steadygan.monitor.saved import SavedRecord
from steadygan.probes import GameView, Probe
from steadygan.probes.optimizer_hooks import PlayerGauge

Signals = dict[str, Tensor | float]


class Monitor(SavedRecord):
    """Watches a training that it has no hand in; ``steadygan.watch`` makes one.

    An iteration is the discriminator's steps and the generator's step that follows them, or the other
    way round where the generator steps first. ``log`` ends the iteration that is under way, or adds to
    the one that has just ended, so that loops that call it once an iteration are counted by it.

    What it measures never ends the training: a probe that fails is switched off, with an event in the
    record and a warning.

    Args:
        g, d: the networks as the loop calls them.
        gauges: of both players.
        optimizers: whose steps to watch; one, if it moves both players.
        probes: due every ``probe_every`` iterations.
        chart: the record and the doctor who reads it.
        budget: how often to look.
    """

    def __init__(
        self,
        g: Generator,
        d: Discriminator,
        gauges: Sequence[PlayerGauge],
        optimizers: Sequence[torch.optim.Optimizer],
        probes: Sequence[Probe],
        chart: Chart,
        budget: Budget,
    ) -> None:
        super().__init__(chart, _class_names(g, d, optimizers))
        self.budget = budget
        self._g, self._d = g, d
        self._gauges = {id(o): [gauge for gauge in gauges if gauge.owns(o)] for o in optimizers}
        self._probes = list(probes)
        self._step = chart.last_step
        self._current: Signals = {}
        self._held: Signals | None = None
        self._stepping: list[PlayerGauge] = []
        # An iteration is open from its first optimizer step on, and logged once ``log`` has ended it.
        self._is_open = self._was_logged = self._g_moved = self._has_closure = False
        self._was_written_early = False
        self._g_first: bool | None = None
        self._hooks = [
            hook
            for o in optimizers
            for hook in (
                o.register_step_pre_hook(self._before_step),
                o.register_step_post_hook(self._after_step),
            )
        ]

    @property
    def step(self) -> int:
        """The number of iterations that have ended."""
        return self._step

    def log(self, **scalars: Tensor | float | int) -> None:
        """Add the loop's own scalars to this iteration: losses, say, as numbers or 0-d tensors.

        Call it at most once an iteration. Nothing is synchronised; a tensor of one element is copied.
        """
        self.budget.begin()
        if self._is_open or self._was_logged or self._step == self._chart.first_step:
            self._end_iteration()
        self._was_logged = True
        # Where the row was asked for before, the next one takes them.
        row = self._current if self._was_written_early else self._held
        if row is not None:
            row.update((name, _scalar(value)) for name, value in scalars.items())
        self._write()
        self.budget.end()

    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all that was measured up to now; waits for the device."""
        self._was_written_early = self._held is not None
        self._write()
        return self._chart.diagnosis()

    def close(self) -> None:
        """Detach from the optimizers and finish the record; all else goes on working."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        if self._is_open:
            self._end_iteration()
        self._write()
        self._chart.close()

    def __enter__(self) -> "Monitor":
        """The monitor itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, also after an error."""
        self.close()

    def _before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.budget.begin()
        # The gradients that a closure will compute are not there yet.
        self._has_closure = any(map(callable, (*args[1:], *kwargs.values())))
        gauges = self._gauges[id(optimizer)]
        self._stepping = [g for g in gauges if self._has_closure or g.moves_in(optimizer)]
        if self._stepping:
            self._cut()
            if not self._has_closure:
                self._measure(optimizer)
        self.budget.end()

    def _after_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.budget.begin()
        if self._has_closure:
            self._stepping = [g for g in self._stepping if g.moves_in(optimizer)]
            self._measure(optimizer)
        for gauge in self._stepping:
            self._current |= gauge.after()
        if self._stepping and self._g_moved and not self._g_first:
            self._end_iteration()
        self._stepping = []
        self.budget.end()

    def _cut(self) -> None:
        """Decide whether the step about to be made begins a new iteration."""
        moves_g = any(gauge.player == "g" for gauge in self._stepping)
        if self._g_first is None:
            self._g_first = moves_g and len(self._stepping) == 1
        if moves_g and self._g_moved:
            self._end_iteration()
        self._write()
        self._is_open, self._was_logged = True, False
        self._g_moved = self._g_moved or moves_g

    def _measure(self, optimizer: torch.optim.Optimizer) -> None:
        """Read the gauges of the players that step, if this iteration is due for it."""
        step, began = self._step + 1, self.budget.clock()
        traced = self.budget.traces.is_due(step) and not self._has_closure
        due = traced or self.budget.rows.is_due(step)
        for gauge in self._stepping:
            if due or gauge.is_waiting:
                self._current |= gauge.before(optimizer, traced=traced)
                if gauge.located is not None:
                    self._chart.hold(step, gauge.player, gauge.located)
        if traced:
            self.budget.spent(self.budget.traces, self.budget.clock() - began)

    def _end_iteration(self) -> None:
        """The iteration under way is over; its row is held back for what ``log`` may add."""
        self._write()
        self._step += 1
        has_row = bool(self._current)
        if self._probes and self.budget.probes.is_due(self._step):
            self._current |= self._probe()
        is_due = bool(self._current) or self.budget.rows.is_due(self._step)
        self._held, self._current = (self._current if is_due else None), {}
        self._is_open = self._was_logged = self._g_moved = self._was_written_early = False
        seconds = self.budget.end_iteration(has_row=has_row)
        if self._held is not None and seconds is not None:
            self._held["step_s"] = seconds

    def _probe(self) -> Signals:
        began = self.budget.clock()
        view = GameView(self._g, self._d, self._step)
        found: Signals = {}
        for probe in list(self._probes):
            try:
                found |= probe.measure(view)
            except (RuntimeError, TypeError, ValueError, SteadyganError) as error:
                self._probes.remove(probe)
                name, reason = type(probe).__name__, str(error).partition("\n")[0]
                self._chart.event("not_probed", probe=name, reason=reason)
                warnings.warn(f"steadygan: {name} is switched off: {reason}", stacklevel=2)
        self._g.forget()
        self.budget.spent(self.budget.probes, self.budget.clock() - began)
        return found

    def _write(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        try:
            self._chart.append(self._step, held)
        except CheckpointError as error:
            warnings.warn(f"steadygan: {error}", stacklevel=2)


def _scalar(value: Tensor | float | int) -> Tensor | float:
    # Loops add up losses in place; the copy is what this iteration saw.
    if isinstance(value, Tensor):
        return value.detach().clone().reshape(()) if value.numel() == 1 else value.detach()
    return value


def _class_names(
    g: Generator, d: Discriminator, optimizers: Sequence[torch.optim.Optimizer]
) -> dict[str, str]:
    return {
        "generator": type(g.network).__name__,
        "discriminator": type(d.network).__name__,
        "optimizers": ", ".join(type(o).__name__ for o in optimizers),
    }
