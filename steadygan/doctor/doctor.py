"""The doctor: listens to every detector and keeps the history of findings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.discriminator_overfitting import DiscriminatorOverfitting
from steadygan.doctor.discriminator_overpowering import DiscriminatorOverpowering
from steadygan.doctor.discriminator_underpowered import DiscriminatorUnderpowered
from steadygan.doctor.divergence import Divergence
from steadygan.doctor.exploding_gradient import ExplodingGradient
from steadygan.doctor.facts import Facts
from steadygan.doctor.findings import (
    SEVERITIES,
    Finding,
    Healthy,
    NotAssessed,
    Opinion,
    Severity,
    urgency,
)
from steadygan.doctor.kinds import KINDS
from steadygan.doctor.losses import FrozenLoss, RunawayLoss
from steadygan.doctor.memorization import Memorization
from steadygan.doctor.miswired import Miswired
from steadygan.doctor.mode_collapse import ModeCollapse
from steadygan.doctor.non_finite import NonFinite
from steadygan.doctor.oscillation import Oscillation
from steadygan.doctor.patient import Patient
from steadygan.doctor.remembered import joined, recalled
from steadygan.doctor.stagnation import Stagnation
from steadygan.doctor.vanishing_gradient import VanishingGradient
from steadygan.errors import DataError
from steadygan.record import Record

_HEAL = 5  # probes without a sign before a failure of the samples is over: orbits pass the data
_MOST_LAYOUTS = 1024


def default_detectors() -> list[Detector]:
    """Fresh ones of every sort; a detector remembers its run and serves one doctor only."""
    return [
        NonFinite(),
        ExplodingGradient("g"),
        ExplodingGradient("d"),
        Patient(ModeCollapse(), num=2, heal=_HEAL),
        Miswired("g"),
        Miswired("d"),
        VanishingGradient(),
        DiscriminatorOverpowering(),
        DiscriminatorUnderpowered(),
        Patient(Divergence(), num=3, heal=_HEAL),
        Patient(Oscillation(), num=2),
        DiscriminatorOverfitting(),
        Patient(Memorization(), num=2),
        Stagnation(),
        Patient(RunawayLoss("g"), num=2),
        Patient(RunawayLoss("d"), num=2),
        FrozenLoss(),
    ]


class Doctor:
    """Reads a record row by row and knows the diagnosis at any time.

    What a live doctor says after a row is what a new one says that replays the rows up to it: both
    see nothing else. Cost: about 8 µs a row of ten signals.

    Args:
        detectors: whom to ask; None: all there are.

    >>> doctor = Doctor()
    >>> doctor.update({"step": 1, "loss_d": 1.4, "loss_g": 0.7})
    >>> doctor.update({"step": 2, "loss_d": float("nan"), "loss_g": 0.7})
    >>> doctor.diagnosis().verdict, doctor.diagnosis().findings[0].kind
    ('failing', 'non_finite')
    """

    def __init__(self, detectors: Sequence[Detector] | None = None) -> None:
        chosen = default_detectors() if detectors is None else detectors
        self._histories = [_History(detector) for detector in chosen]
        self._facts = Facts()
        for detector in chosen:
            detector.game.share(self._facts)
        self._audiences: dict[tuple[str, ...], _Audience] = {}  # by a row's signals: they are few
        self._seen: set[str] = set()
        self._step: int | None = None

    def update(self, row: Row) -> None:
        """Take note of one more row; one without signals, or whose step is not new, is left out.

        Raises:
            DataError: for a row without a step.
        """
        try:
            step = int(row["step"])
        except KeyError:
            raise DataError(f"a row must have a 'step', got only {sorted(row)}; add it.") from None
        if len(row) == 1 or (self._step is not None and step <= self._step):
            return
        self._step = step
        signals = tuple(row)
        audience = self._audiences.get(signals) or self._audience_of(signals)
        if audience.facts:
            self._facts.update(row, audience.facts)
        # To most rows most detectors say nothing new: that is told here, at the least cost.
        for ask, history in audience.listeners:
            opinion = ask(row)
            if opinion is not history.last and not (
                history.is_well and isinstance(opinion, Healthy)
            ):
                history.add(opinion)

    def diagnosis(self) -> Diagnosis:
        """The state of knowledge after the rows so far."""
        findings = [finding for history in self._histories for finding in history.findings]
        return Diagnosis(
            steps=self._step or 0,
            findings=tuple(sorted(findings, key=urgency)),
            not_assessed=self._not_assessed(),
            assessed=any(history.assessed for history in self._histories),
        )

    def _audience_of(self, signals: tuple[str, ...]) -> "_Audience":
        """Who is told of rows with these signals; decided once."""
        self._seen.update(signals)
        listeners = [
            (history.detector.update, history)
            for history in self._histories
            if (hears := history.detector.hears) is None or not hears.isdisjoint(signals)
        ]
        audience = _Audience(listeners, self._facts.learn_of(signals))
        if len(self._audiences) >= _MOST_LAYOUTS:
            self._audiences.clear()
        self._audiences[signals] = audience
        return audience

    def _not_assessed(self) -> Mapping[str, str]:
        assessed = {h.detector.kind for h in self._histories if h.assessed}
        reasons = dict.fromkeys((k for k in KINDS if k not in assessed), "no detector yet")
        for history in self._histories:
            if history.detector.kind not in assessed:
                missing = sorted(history.detector.needs - self._seen)
                reason = f"not recorded: {', '.join(missing)}" if missing else history.reason
                reasons[history.detector.kind] = reason
        return reasons


def examine(
    record: Record | Iterable[Row], detectors: Sequence[Detector] | None = None
) -> Diagnosis:
    """The diagnosis of a whole record: its rows replayed to a new doctor.

    Args:
        record: a record, or rows in the order of their steps.
        detectors: fresh ones; None: all there are.
    """
    doctor = Doctor(detectors)
    for row in record.rows() if isinstance(record, Record) else record:
        doctor.update(row)
    before = (
        recalled((e.name, e.detail) for e in record.events) if isinstance(record, Record) else None
    )
    return joined(doctor.diagnosis(), before)


@dataclass
class _History:
    """One detector's findings, of which the last may be open."""

    detector: Detector
    findings: list[Finding] = field(default_factory=list)
    assessed: bool = False
    reason: str = "no rows yet"
    is_well: bool = False
    last: Opinion | None = None
    num_milder: int = 0

    def add(self, opinion: Opinion) -> None:
        """The detector's opinion, if it is another than before."""
        self.last = opinion
        self.is_well = isinstance(opinion, Healthy) or (
            self.is_well and isinstance(opinion, NotAssessed)
        )
        if isinstance(opinion, NotAssessed):
            self.reason = opinion.reason
            return
        self.assessed = True
        current = self.findings[-1] if self.findings else None
        if current is not None and current.resolved is not None:
            current = None
        if isinstance(opinion, Healthy):
            if current is not None:
                self.findings[-1] = replace(current, resolved=opinion.step)
        elif current is None and not self._is_relapse(opinion):
            self.findings.append(opinion)
        else:
            current = self.findings[-1]
            worst = max(current.severity, opinion.severity, key=SEVERITIES.index)
            if (opinion.step, opinion.severity) != (current.step, worst):
                opinion = replace(opinion, step=current.step, severity=worst)
            self.findings[-1] = opinion
            self._ease(worst)

    def _ease(self, worst: Severity) -> None:
        """What the detector has called milder for long enough is milder."""
        said = self.last.severity if isinstance(self.last, Finding) else worst
        self.num_milder = self.num_milder + 1 if said != worst else 0
        if self.detector.eases is not None and self.num_milder >= self.detector.eases:
            self.findings[-1] = replace(self.findings[-1], severity=said)

    def _is_relapse(self, opinion: Finding) -> bool:
        """Whether the last finding is back after a pause shorter than it had lasted: then it never went."""
        if not self.findings:
            return False
        last = self.findings[-1]
        ended = last.resolved if last.resolved is not None else opinion.step
        return opinion.step - ended <= ended - last.step


class _Audience(NamedTuple):
    """Whom a sort of row concerns, and which of its signals are kept as facts."""

    listeners: Sequence[tuple[Callable[[Row], Opinion], _History]]
    facts: tuple[str, ...]
