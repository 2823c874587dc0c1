"""The monitor's budget: how often it may look, from what a look costs and how long a step takes."""

import math
from collections import deque
from collections.abc import Callable
from statistics import median

from steadygan.errors import ConfigError

Clock = Callable[[], float]
"""Seconds since some moment."""

_MEMORY = 9
_ITERATIONS = 33
_RAREST = 3  # times the interval asked for
_RAREST_ROWS = 16  # likewise for rows and traces: on a step of a millisecond even a row is dear
_PARTS = (3 / 8, 1 / 8, 1 / 4)  # of the budget: rows, traces, probes


class Cadence:
    """How often one sort of look is taken: every ``asked`` steps, or the least multiple the budget allows.

    With the median cost c of the last looks and the median step time τ, both by the host's clock,

        interval = asked · min(rarest, ⌈c / (share · τ · asked)⌉)

    The first look is left out of the median once there are more: it warms up. There is a limit, because
    a monitor that hardly looks is none; from there on it costs more than its share.

    Args:
        asked: the interval at the least [steps].
        share: of the step time that it may take; None: look as asked, whatever it costs.
        rarest: the largest interval as a multiple of the one asked for.
    """

    def __init__(self, asked: int, share: float | None, rarest: int = _RAREST) -> None:
        self.asked = self.interval = asked
        self.share = share
        self.rarest = rarest
        self._costs: deque[float] = deque(maxlen=_MEMORY)
        self._is_warm = False

    def is_due(self, step: int) -> bool:
        """Whether to look at this step; the first is always due, as a baseline."""
        return step == 1 or step % self.interval == 0

    def next_due(self, step: int) -> int:
        """The first step after this one at which to look."""
        return step + self.interval - step % self.interval

    def spent(self, seconds: float) -> None:
        """Take note of what a look cost."""
        if not self._is_warm and self._costs:
            self._costs.clear()
            self._is_warm = True
        self._costs.append(seconds)

    def adapt(self, step_s: float) -> None:
        """Choose the interval anew for this step time."""
        if self.share is None or not self._costs or step_s <= 0:
            return
        wanted = math.ceil(median(self._costs) / (self.share * step_s * self.asked))
        self.interval = self.asked * min(self.rarest, max(1, wanted))


class Budget:
    """Three sorts of look and the step time they are measured against.

    Three eighths of the budget are for the rows (gradient norms at every step), an eighth for traced
    steps, a quarter for the probes; the rest is what it takes to be called at every step. Probes get at
    most three times as rare as asked, the others 16 times. A trace costs the monitor's time in its
    iteration and in the next, where gradients are compared. The step time is the median over the last 33
    iterations, less the monitor's own time in them. On an accelerator the host's clock sees what it takes
    to ask for the work, not the work itself.

    Args:
        share: the budget as a share of the step time, > 0; None: no limit.
        every, trace_every, probe_every: the cadences at the least [steps], >= 1.
        clock: for tests.

    Raises:
        ConfigError: for a share that is not positive.
    """

    def __init__(
        self,
        share: float | int | None,
        *,
        every: int,
        trace_every: int,
        probe_every: int,
        clock: Clock,
    ) -> None:
        if share is not None and not 0 < share < math.inf:
            raise ConfigError(
                f"watch budget must be > 0, got {share}; 0.02 is 2 % of the step time, None no limit."
            )
        rows, traces, probes = (None if share is None else part * share for part in _PARTS)
        self.rows = Cadence(every, rows, _RAREST_ROWS)
        self.traces = Cadence(trace_every, traces, _RAREST_ROWS)
        self.probes = Cadence(probe_every, probes)
        self.clock = clock
        self._steps: deque[float] = deque(maxlen=_ITERATIONS)
        self._ended: float | None = None
        self._began = self._own = self._probing = 0.0
        self._awake_at = self._passed = 0
        self.is_idle = self._is_traced = False
        self._trace_s: float | None = None  # of the iteration before, if that was traced
        self._num = 0

    def begin(self) -> None:
        """The monitor begins to work."""
        if not self.is_idle:
            self._began = self.clock()

    def end(self) -> None:
        """The monitor has done its work for now."""
        if not self.is_idle:
            self._own += self.clock() - self._began

    def rest(self, step: int, *, unless: bool = False) -> None:
        """After this step: be idle until something is due in the next one.

        Between two steps of a training nothing of the monitor is in the processor's caches, and even a look
        at the clock is dear.

        Args:
            step: that has ended.
            unless: stay awake in any case.
        """
        cadences = (self.rows, self.traces, self.probes)
        self._awake_at = min(cadence.next_due(step) for cadence in cadences)
        self.is_idle = not unless and self._awake_at > step + 1

    def passes(self, step: int) -> bool:
        """Whether the iteration that ends with this step is an idle one with another behind it."""
        if not self.is_idle or step + 1 >= self._awake_at:
            return False
        self._passed += 1
        return True

    def wake(self) -> bool:
        """An iteration has ended; whether it was an idle one."""
        was_idle = self.is_idle
        if was_idle:
            self.is_idle = False
            self.begin()
        return was_idle

    def spent(self, cadence: Cadence, seconds: float) -> None:
        """A trace or a probe cost that much of the iteration."""
        if cadence is self.traces:
            self._is_traced = True
        else:
            cadence.spent(seconds)
            self._probing += seconds

    def end_iteration(self, *, has_row: bool) -> float | None:
        """An iteration has ended, during the monitor's work.

        Returns its wall time, the monitor's part included; None for the first. After idle ones it is the mean
        over them and this one.

        Args:
            has_row: whether gradient norms were measured in it.
        """
        now = self.clock()
        self._own += now - self._began
        num = self._passed + 1
        seconds = None if self._ended is None else (now - self._ended) / num
        if seconds is not None:
            self._steps.append(max(0.0, seconds - self._own / num))
            self._num += num
            self._charge(self._own - self._probing, has_row=has_row)
            if self._num >= _ITERATIONS:
                self._num = 0
                step_s = median(self._steps)
                for cadence in (self.rows, self.traces, self.probes):
                    cadence.adapt(step_s)
        self._began = self._ended = now
        self._own = self._probing = 0.0
        self._passed = 0
        self._is_traced = False
        return seconds

    def _charge(self, own: float, *, has_row: bool) -> None:
        """Put the monitor's time in an iteration, less that of its probes, to the account it belongs to."""
        if self._is_traced or self._trace_s is not None:
            if self._trace_s is not None:
                self.traces.spent(self._trace_s + (0.0 if self._is_traced else own))
            self._trace_s = own if self._is_traced else None
        elif has_row and not self._probing:
            self.rows.spent(own)
