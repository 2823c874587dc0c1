"""Patience: an opinion counts once it has been held several times in a row."""

from dataclasses import replace

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Finding, Healthy, NotAssessed, Opinion
from steadygan.errors import ConfigError


class Patient(Detector):
    """Wraps a detector: it changes its mind after ``num`` opinions of the new sort in a row.

    Works both ways, so that one bad measurement raises no alarm and one good one does not end it.
    The onset, and the step of recovery, are those of the first of the ``num``. Rows that are not
    assessed neither count nor interrupt.

    Args:
        detector: whose opinion is weighed.
        num: how many in a row, >= 1.
        heal: how many in a row end a finding; None: as many as begin one.

    Raises:
        ConfigError: if num or heal is < 1.
    """

    def __init__(self, detector: Detector, num: int = 2, heal: int | None = None) -> None:
        for name, value in (("num", num), ("heal", heal)):
            if value is not None and value < 1:
                raise ConfigError(
                    f"Patient.{name} must be >= 1, got {value}; 1 is no patience at all."
                )
        self.detector = detector
        self.num = num
        self.heal = num if heal is None else heal
        self.kind, self.needs, self.hears = detector.kind, detector.needs, detector.hears
        self.eases, self.game = detector.eases, detector.game
        self._streak = 0
        self._since = 0
        self._sort: type[Opinion] | None = None
        self._held: Opinion = NotAssessed(f"needs {num} measurements in a row")

    def update(self, row: Row) -> Opinion:
        """The opinion held after one more row."""
        opinion = self.detector.update(row)
        if isinstance(opinion, NotAssessed):
            return opinion
        if type(opinion) is not self._sort:
            self._sort, self._streak, self._since = type(opinion), 0, opinion.step
        self._streak += 1
        heals = isinstance(opinion, Healthy) and isinstance(self._held, Finding)
        if self._streak >= (self.heal if heals else self.num):
            known = opinion.step == self._since
            self._held = opinion if known else replace(opinion, step=self._since)
        return self._held
