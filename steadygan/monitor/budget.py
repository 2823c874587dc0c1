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
_MOST = 4


class Cadence:
    """How often one sort of look is taken: every ``asked`` steps, or the least multiple the budget allows.

    With the median cost c of the last looks and the median step time τ, both by the host's clock,

        interval = asked · min(4, ⌈c / (share · τ · asked)⌉)

    The first look is left out of the median once there are more: it warms up. At most four times rarer
    than asked, because a monitor that hardly looks is none; from there on it costs more than its share.

    Args:
        asked: the interval at the least [steps].
        share: of the step time that it may take; None: look as asked, whatever it costs.
    """

    def __init__(self, asked: int, share: float | None) -> None:
        self.asked = self.interval = asked
        self.share = share
        self._costs: deque[float] = deque(maxlen=_MEMORY)
        self._is_warm = False

    def is_due(self, step: int) -> bool:
        """Whether to look at this step; the first is always due, as a baseline."""
        return step == 1 or step % self.interval == 0

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
        self.interval = self.asked * min(_MOST, max(1, wanted))


class Budget:
    """Three sorts of look and the step time they are measured against.

    Half of the budget is for the rows (gradient norms at every step), a quarter for traced steps, a
    quarter for the probes. The step time is the median over the last 33 iterations, less the monitor's
    own time in them. On an accelerator the host's clock sees what it takes to ask for the work, not
    the work itself.

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
        part = None if share is None else share / 4
        self.rows = Cadence(every, None if part is None else 2 * part)
        self.traces = Cadence(trace_every, part)
        self.probes = Cadence(probe_every, part)
        self.clock = clock
        self._steps: deque[float] = deque(maxlen=_ITERATIONS)
        self._ended: float | None = None
        self._began = self._own = 0.0
        self._is_plain = True
        self._num = 0

    def begin(self) -> float:
        """The monitor begins to work; when."""
        self._began = self.clock()
        return self._began

    def end(self) -> float:
        """The monitor has done its work for now; when."""
        now = self.clock()
        self._own += now - self._began
        return now

    def spent(self, cadence: Cadence, seconds: float) -> None:
        """A trace or a probe cost that much of the iteration."""
        cadence.spent(seconds)
        self._is_plain = False

    def end_iteration(self, *, has_row: bool) -> float | None:
        """An iteration has ended, during the monitor's work.

        Returns its wall time, the monitor's part included; None for the first.

        Args:
            has_row: whether gradient norms were measured in it.
        """
        now = self.end()
        seconds = None if self._ended is None else now - self._ended
        if seconds is not None:
            self._steps.append(max(0.0, seconds - self._own))
            self._num += 1
            if has_row and self._is_plain:
                self.rows.spent(self._own)
            if self._num % _ITERATIONS == 0:
                step_s = median(self._steps)
                for cadence in (self.rows, self.traces, self.probes):
                    cadence.adapt(step_s)
        self._began = self._ended = now
        self._own, self._is_plain = 0.0, True
        return seconds
