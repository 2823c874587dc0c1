"""Progress: what the samples' distance to the data has done so far, as several detectors ask it."""

import math
from collections import deque
from statistics import median

from steadygan.doctor.detector import Row
from steadygan.doctor.findings import Evidence, NotAssessed

SIGNAL = "energy_distance"
FAR = 0.15
"""Energy distance above which samples are far from the data; 58,000 healthy steps stayed below."""

NEAR = 0.05
"""Energy distance below which samples match the data; 95 % of healthy probes were below 0.037."""

UNMEASURED = NotAssessed("samples were not measured")
"""The opinion between two probes."""

_SMOOTH = 3  # probes in a median
_RECENT = 5
_LEAST = 10  # probes without progress before it counts
_LONG = 30  # probes
_OUTSIDE = 1.0
_SHARE = 0.2  # of the run, likewise
_BETTER = 0.9  # of the best so far is progress


class Progress:
    """The distance e, smoothed by a median of three probes, its best, and how long ago that was.

    ``stalled`` says that samples are far and get no nearer:

        for 10 probes and for a fifth of all probes so far   e > 0.15   and   no e < 0.9·best
        and not   max of the last five e  <  min of the five before

    A tenth better in a fifth of the run is little: a training that merely is slow does more. One
    with a tiny learning rate may not, but then it creeps: five probes that all lie below the five
    before have a chance of 1 in 252 in a series without a trend.
    """

    def __init__(self) -> None:
        self.num = 0
        self.step = 0
        self.energy = math.inf
        self.best = math.inf
        self.best_step = 0
        self.num_since_best = 0
        self.first = math.inf
        self._num_near = 0
        self._bar = math.inf
        self._since_num = self._since_step = 0
        self._latest: deque[float] = deque(maxlen=2 * _RECENT)

    def update(self, row: Row) -> bool:
        """Take note of one more row; True where samples were measured in it."""
        energy = row.get(SIGNAL)
        if energy is None or not math.isfinite(energy):
            return False
        self.num += 1
        self.step = int(row["step"])
        self._latest.append(energy)
        self.energy = median(list(self._latest)[-_SMOOTH:])
        if self.num == 1:
            self.first = energy
        self.num_since_best += 1
        if self.energy < self.best:
            self.best, self.best_step, self.num_since_best = self.energy, self.step, 0
        self._num_near += self.energy < NEAR
        better = self.energy < _BETTER * self._bar
        if better:
            self._bar = self.energy
        if better or not self.is_far:
            self._since_num, self._since_step = self.num, self.step
        return True

    @property
    def was_near(self) -> bool:
        """Whether the samples matched the data at five probes: a blob passing by does not."""
        return self._num_near >= _RECENT

    @property
    def is_far(self) -> bool:
        """Whether the samples are far from the data."""
        return self.energy > FAR

    @property
    def stalled(self) -> bool:
        """Whether they have been far and have come no nearer for long."""
        waited = self.num - self._since_num
        return waited >= max(_LEAST, _SHARE * self.num) and not self._creeps

    @property
    def hopeless(self) -> bool:
        """Whether a stall has passed what a slow start looks like, which a warning suits better.

        The samples matched the data once, or have stalled for 30 probes, or are outside of the data: e > 1
        is further off than all samples on one real.
        """
        waited = self.num - self._since_num
        return self.was_near or waited >= _LONG or self.energy > _OUTSIDE

    @property
    def stalled_since(self) -> int:
        """The step of the last progress, or the last at which they were near."""
        return self._since_step

    @property
    def _creeps(self) -> bool:
        latest = list(self._latest)
        return len(latest) == 2 * _RECENT and max(latest[_RECENT:]) < min(latest[:_RECENT])

    def evidence(self) -> Evidence:
        """The distance in words."""
        return Evidence(
            SIGNAL,
            self.energy,
            f"below {FAR}, or falling",
            f"the samples' distance to the data is {self.energy:.2g} (matched: below {FAR}) and has "
            f"not become a tenth better since step {self.stalled_since:,}",
        )
