"""After a recovery: whether samples that came near the data have come to rest too far from it."""

from collections.abc import Sequence
from statistics import fmean

from steadygan.doctor.findings import Cause, Evidence, Finding

SPAN = 8
"""Probes that illness is averaged over: what flickers from probe to probe shows in the mean, not in a median."""

UNSETTLED = "unsettled"
"""The kind of finding; only a game that was treated has it."""

_AT_REST = 0.9  # of the illness of the span before
_SETTLED = 0.05
_MOST = 3  # rounds after a recovery


class Aftercare:
    """Watches a game that a treatment has saved, and says when it could be nearer to the data than it is.

    Constant steps do not end at the equilibrium but in a ball around it that grows with the rate: the doctor is
    content, and a column of modes comes and goes. So where a treated game is at rest (no tenth gained from eight probes
    to the next eight) and illness above 0.05 in the mean, it is called *unsettled*, thrice at most after a recovery.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, section 4: convergence is for rates small enough.
    """

    def __init__(self) -> None:
        self._scores: list[float] = []
        self._left = 0

    def begin(self) -> None:
        """A treatment has brought a recovery."""
        self._scores, self._left = [], _MOST

    def end(self) -> None:
        """What was tried has not helped, or there is something worse to see to."""
        self._left = 0

    def due(self, score: float, step: int) -> Finding | None:
        """Look at one more probe without a finding."""
        if not self._left:
            return None
        self._scores.append(score)
        now, before = fmean(self._scores[-SPAN:]), fmean(self._scores[-2 * SPAN : -SPAN] or [0.0])
        is_long_enough = len(self._scores) >= 2 * SPAN
        if not is_long_enough or not now > _SETTLED or now < _AT_REST * before:
            return None
        self._scores, self._left = [], self._left - 1
        return _unsettled(now, step)

    def state_dict(self) -> list[float]:
        """The rounds that are left, and illness since."""
        return [self._left, *self._scores]

    def load_state_dict(self, state: Sequence[float]) -> None:
        """Continue from ``state_dict``."""
        self._left, self._scores = int(state[0]), list(state[1:])


def _unsettled(score: float, step: int) -> Finding:
    said = f"at rest at an illness of {score:.2g}, above {_SETTLED}"
    evidence = Evidence("energy_distance", score, f"<= {_SETTLED}", said)
    said_why = "steps of a constant length keep it at a distance that grows with the rates"
    cause = Cause("constant_steps", said_why, ("lr_g", "lr_d"))
    return Finding(UNSETTLED, "warning", step, (evidence,), (cause,))
