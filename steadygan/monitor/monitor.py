"""The monitor: listens to two optimizers, cuts their steps into iterations, measures, records, examines."""

import functools
import warnings
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from steadygan.doctor import Diagnosis
from steadygan.errors import CheckpointError
from steadygan.monitor.bedside import Signals
from steadygan.monitor.budget import Budget
from steadygan.monitor.chart import Chart
from steadygan.monitor.inspected import Inspected
from steadygan.monitor.logged import scalar
from steadygan.probes import Probe
from steadygan.probes.compiled import unseen
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.probes.optimizer_hooks import PlayerGauge
from steadygan.record.lines import Layout

_UNHEARD = 50  # logs without a step: more than a loop takes to accumulate one gradient


class Monitor(Inspected):
    """Watches a training that it has no hand in; ``steadygan.watch`` makes one.

    An iteration is the discriminator's steps and the generator's step that follows them, or the other
    way round where the generator steps first. ``log`` ends the iteration that is under way, or adds to
    the one that has just ended, so that loops that call it once an iteration are counted by it.

    What it does never ends the training: a probe that fails is switched off and a record that cannot be
    written waits, each with a warning.

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
        at_once: int | None = None,
    ) -> None:
        super().__init__(g, d, probes, chart, optimizers, at_once)
        self.budget = budget
        # Each player by its own optimizer: a layer that both share moves with both.
        owners = (optimizers[0], optimizers[-1])
        self._gauges: dict[int, list[PlayerGauge]] = {id(o): [] for o in optimizers}
        for gauge, owner in zip(gauges, owners, strict=True):
            self._gauges[id(owner)].append(gauge)
        self._all_gauges = tuple(gauges)
        self._names: set[str] = set()  # that were logged
        self._mover: torch.optim.Optimizer | None = None
        self._current: Signals = {}
        self._held: Signals | None = None
        self._stepping: list[PlayerGauge] = []
        self._num_unheard = 0
        # An iteration is open from its first optimizer step on, and logged once ``log`` has ended it.
        self._is_open = self._was_logged = self._g_moved = self._has_closure = False
        self._was_written_early = self._is_closed = False
        self._g_first: bool | None = None
        self._hooks = [
            hook
            for o in optimizers
            for hook in (
                o.register_step_pre_hook(unseen(self._before_step)),
                o.register_step_post_hook(unseen(self._after_step)),
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
        ends = self._is_open or self._was_logged or self._step == self._chart.first_step
        if not ends and self._held is None and not self._was_written_early:
            self._was_logged = True  # of an iteration that gets no row
            return
        if not self._names.issuperset(scalars):
            Layout(tuple(scalars))  # refuses the names of its own fields
            self._names.update(scalars)
        logged = {name: scalar(name, value) for name, value in scalars.items()}
        self.budget.begin()
        if ends:
            self._end_iteration()
        self._was_logged = True
        # Where the row was asked for before, the next one takes them.
        row = self._current if self._was_written_early else self._held
        if row is not None:
            row.update(logged)
        self._write()
        self.budget.end()

    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all that was measured up to now; waits for the device."""
        self._was_written_early = self._held is not None
        self._write()
        return self._chart.diagnosis()

    def close(self) -> None:
        """Detach from the optimizers and finish the record; all else goes on working.

        The record ends with the event ``finished``, or ``closed`` after an error in a ``with`` block: who
        follows it need not wait for more.
        """
        self._finish("finished")

    def __deepcopy__(self, memo: dict[int, Any]) -> "Monitor":
        """The monitor itself: a copy of what holds it has nothing else to write to."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Refused: hooks and an open record do not travel."""
        raise TypeError("a Monitor cannot be pickled; keep it out of what is, or call watch there.")

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
        if kind is None:
            self.close()
        else:
            self._finish("closed", error=kind.__name__)

    def _finish(self, event: str, **detail: str) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        if self._is_closed:
            return
        self._is_closed = True
        if self._is_open:
            self._end_iteration()
        if self._held is None and self._step > self._chart.last_step:
            self._held = {}  # the last iteration was not due for a row: now it is
        self._write()
        has_run = self._step > self._chart.first_step
        try:
            self._chart.close(event if has_run else None, at=self._step, **detail)
        except CheckpointError as error:
            warnings.warn(f"steadygan: {error}", stacklevel=3)

    def _before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        if self._stepping and self._mover is optimizer:
            return None  # a step that calls the one it inherits
        self._mover = optimizer
        has_more = len(args) > 1 or bool(kwargs)
        if self.budget.is_idle and not has_more:
            self._stepping = [g for g in self._gauges[id(optimizer)] if g.seems_to_move(optimizer)]
            if self._stepping:
                self._cut()
            return None
        self.budget.begin()
        closures = [v for v in (*args[1:], *kwargs.values()) if callable(v)] if has_more else []
        self._has_closure = bool(closures)
        gauges = self._gauges[id(optimizer)]
        self._stepping = [g for g in gauges if self._has_closure or g.moves_in(optimizer)]
        if self._stepping:
            self._cut()
            if not self._has_closure:
                self._measure(optimizer)
        self.budget.end()
        if not self._stepping or not closures:
            return None
        # The gradients that a closure will compute are not there yet: measure right after it.
        heard = self._heard(optimizer, closures[0])
        args = tuple(heard if value is closures[0] else value for value in args)
        return args, {k: heard if v is closures[0] else v for k, v in kwargs.items()}

    def _heard(
        self, optimizer: torch.optim.Optimizer, closure: Callable[..., Any]
    ) -> Callable[..., Any]:
        """The closure, with a measurement after its first call."""

        @functools.wraps(closure)
        def heard(*args: Any, **kwargs: Any) -> Any:
            found = closure(*args, **kwargs)
            if self._has_closure:
                self._has_closure = False
                self.budget.begin()
                self._stepping = [g for g in self._stepping if g.moves_in(optimizer)]
                self._measure(optimizer)
                self.budget.end()
            return found

        return heard

    def _after_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.budget.begin()
        if not self.budget.is_idle:
            for gauge in self._stepping:
                self._current |= gauge.after()
        if self._g_moved and self._stepping and not self._g_first:
            self._end_iteration()
        self._stepping = []
        self.budget.end()

    def _cut(self) -> None:
        """Decide whether the step about to be made begins a new iteration."""
        moves_g = self._stepping[0].player == "g" or self._stepping[-1].player == "g"
        if self._g_first is None:
            self._g_first = moves_g and len(self._stepping) == 1
        if moves_g and self._g_moved:
            self._end_iteration()
        if self._held is not None:
            self._write()
        self._is_open, self._was_logged = True, False
        self._g_moved = self._g_moved or moves_g

    def _measure(self, optimizer: torch.optim.Optimizer) -> None:
        """Read the gauges of the players that step, if this iteration is due for it."""
        if self.budget.is_idle:
            return
        step, began = self._step + 1, self.budget.clock()
        traced = self.budget.traces.is_due(step)
        due = traced or self.budget.rows.is_due(step)
        for gauge in self._stepping:
            if due or gauge.is_waiting:
                self._current |= gauge.before(optimizer, traced=traced, iteration=step)
                if gauge.located is not None:
                    self._chart.hold(step, gauge.player, gauge.located)
        if traced:
            self.budget.spent(self.budget.traces, self.budget.clock() - began)

    def _end_iteration(self) -> None:
        """The iteration under way is over; its row is held back for what ``log`` may add."""
        if self._is_open and self.budget.passes(self._step + 1):
            self._write()
            self._step, self._num_unheard = self._step + 1, 0
            self._is_open = self._was_logged = self._g_moved = self._was_written_early = False
            return
        was_idle = self.budget.wake()
        self._write()
        self._num_unheard = 0 if self._is_open else self._num_unheard + 1
        if self._num_unheard == _UNHEARD:
            self._chart.event("no_step", iterations=_UNHEARD)
            warnings.warn(
                f"steadygan: {_UNHEARD} iterations were logged in which neither optimizer stepped; only "
                "steps of the optimizers given to watch are seen, so call it again after replacing them.",
                stacklevel=3,
            )
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
        waits = not was_idle and any(gauge.is_waiting for gauge in self._all_gauges)
        self.budget.rest(self._step, unless=waits)

    def _probe(self) -> Signals:
        began = self.budget.clock()
        with torch.inference_mode(False):  # loops log where they evaluate
            found = self.measure(self._step)
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
