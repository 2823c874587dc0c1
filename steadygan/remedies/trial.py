"""Did the treatment help? A window after it, in probes, and the verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any, Literal

from steadygan.doctor.findings import Finding
from steadygan.doctor.remembered import restored_finding
from steadygan.remedies.accidents import lost
from steadygan.remedies.aftercare import SPAN

Verdict = Literal["wait", "recovered", "failed"]

LEAST = 6  # probes until a recovery is believed: a finding heals after five
WINDOW = 12
LONGEST = 120
_GROWS = 3.0
_FALLS = 0.9
_HELD = 1.5
_NEAR = 0.05
_FAR = (
    0.6  # whatever the coverage lacks, samples are further away than any that a doctor calls near
)
FAIR = 0.3
"""Illness of samples that are near the data, if not as near as they could be."""
LEARNT = frozenset({"discriminator_overfitting", "memorization"})
"""Kinds of finding that tell of data learnt by heart."""
GAINED = 0.8
"""Of the illness before: samples are nearer to the data by more than chance."""


def illness(signals: Mapping[str, float]) -> float:
    """How far samples are from the data: energy distance, and half of what coverage lacks; inf for no numbers.

    Both are relative to the data's own statistics; perfect samples have about 0. So have samples that are not measured
    at all: then findings are what counts.

    >>> round(illness({"energy_distance": 0.1, "coverage": 0.5}), 2)
    0.3
    """
    distance = signals.get("energy_distance", 0.0)
    coverage = signals.get("coverage", 1.0)
    if not math.isfinite(distance) or not math.isfinite(coverage):
        return math.inf
    return max(0.0, distance) + 0.5 * max(0.0, 0.9 - coverage)


@dataclass
class Trial:
    """One treatment under observation.

    It has **recovered** when no critical finding is open and, six probes or more after it, samples are near the data,
    or, after twelve, a fifth nearer than when it was decided, no more on their way, and not far away. It has
    **failed** when samples are no numbers; when after four probes illness is three times what it was at its start and
    not small; or when, after twelve probes and from then on, the median illness of the last four is not a tenth below
    that of the four before.

    Where it is aftercare, it is kept when, twelve probes after it, nothing is critical and the mean illness of the
    last eight is not a quarter above that of the eight before it began: a lower rate gains slowly.

    Args:
        entry: its index in the ledger.
        step: at which it began.
        start: illness right after it (of the state gone back to).
        before: illness when it was decided.
        undo: what takes it back, in the order to apply.
        finding: what it treats, as plain values.
        scores: illness at the probes since.
        is_aftercare: whether it treats what is not critical.
    """

    entry: int
    step: int
    start: float
    before: float
    undo: list[dict[str, Any]] = field(default_factory=list)
    finding: dict[str, Any] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    is_aftercare: bool = False

    def judge(self, score: float, open_findings: Sequence[Finding]) -> Verdict:
        """Look at one more probe."""
        self.scores.append(score)
        num = len(self.scores)
        if not math.isfinite(score):
            return "failed" if num > 1 else "wait"
        if self.is_aftercare:
            return self._settles(open_findings)
        if num >= LEAST and not open_findings and score < FAIR:
            return "recovered"
        if num >= 4 and min(self.scores[-2:]) > _GROWS * max(self.start, _NEAR):
            return "failed"
        if num < WINDOW:
            return "wait"
        now, earlier = median(self.scores[-4:]), median(self.scores[-8:-4])
        if num < LONGEST and (now < _FALLS * earlier or self._holds(now, open_findings)):
            return "wait"
        # The silence of the doctor alone means nothing: a dead network raises no findings either.
        is_better = score < min(_FAR, GAINED * self.before)
        return "recovered" if not open_findings and is_better else "failed"

    def _holds(self, now: float, open_findings: Sequence[Finding]) -> bool:
        """Whether D knows its reals by heart, and samples have not got much worse: as much as few data can give."""
        kinds = {self.finding.get("kind"), *(f.kind for f in open_findings)}
        return kinds <= LEARNT and now < max(FAIR, _HELD * min(self.start, self.before))

    def _settles(self, open_findings: Sequence[Finding]) -> Verdict:
        if open_findings:
            return "failed"
        if len(self.scores) < WINDOW:
            return "wait"
        is_worse = fmean(self.scores[-SPAN:]) * GAINED > self.before
        return "failed" if is_worse else "recovered"

    def left_to_treat(
        self, open_findings: Sequence[Finding], score: float, step: int
    ) -> Finding | None:
        """What to go on with when it has failed; None where samples are near the data and nothing is said of them.

        A doctor who has read only what came since it began may have nothing to say yet of what is no better.
        """
        if self.is_aftercare:  # what is critical by now is seen to as ever
            return None
        if open_findings:
            return open_findings[0]
        if not math.isfinite(score):
            return lost(step)
        return restored_finding(self.finding) if score > _FAR and self.finding else None

    @property
    def helped(self) -> bool:
        """Whether samples are a fifth nearer to the data than when it was decided."""
        if self.is_aftercare or not self.scores:
            return False
        return median(self.scores[-4:]) < GAINED * self.before
