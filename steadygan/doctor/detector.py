"""The contract of a detector: rows of the record in, one after the other, an opinion out."""

from abc import ABC, abstractmethod
from functools import cached_property

from steadygan.doctor.circumstances import Circumstances
from steadygan.doctor.findings import Opinion
from steadygan.doctor.row import Row as Row


class Detector(ABC):
    """A rule that reads the record alone, row by row, and remembers what it needs.

    The same rows give the same opinions, live or replayed. Thresholds are relative to the run's own
    past or to the data's own statistics. A row without the signals gives ``NotAssessed``, never
    ``Healthy``: between two probes a detector of samples has no new opinion.

    Attributes:
        kind: of its findings, one of ``KINDS``.
        needs: the signals without which it has no opinion; others may serve as further evidence.
        hears: the signals of which one at least must be in a row that could tell it anything; the
            doctor leaves other rows out, which saves most of the time. None: every row.
        eases: after so many milder opinions in a row an open finding is milder; None: it stays as grave as it ever was
            until it is resolved.
    """

    kind: str
    needs: frozenset[str]
    hears: frozenset[str] | None = None
    eases: int | None = None

    @cached_property
    def game(self) -> Circumstances:
        """The game side, for the causes of a finding; a detector that uses it shows it its rows."""
        return Circumstances()

    @abstractmethod
    def update(self, row: Row) -> Opinion:
        """The opinion after one more row; a finding's step is where it set in, as far as seen here."""
