"""The contract of a detector: rows of the record in, one after the other, an opinion out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from steadygan.doctor.findings import Opinion

Row = Mapping[str, float]
"""{"step": 40, "loss_d": 0.61}: a signal that is absent was not measured at this step."""


class Detector(ABC):
    """A rule that reads the record alone, row by row, and remembers what it needs.

    The same rows give the same opinions, live or replayed. Thresholds are relative to the run's own
    past or to the data's own statistics. A row without the signals gives ``NotAssessed``, never
    ``Healthy``: between two probes a detector of samples has no new opinion.

    Attributes:
        kind: of its findings, one of ``KINDS``.
        needs: the signals without which it has no opinion; others may serve as further evidence.
    """

    kind: str
    needs: frozenset[str]

    @abstractmethod
    def update(self, row: Row) -> Opinion:
        """The opinion after one more row; a finding's step is where it set in, as far as seen here."""
