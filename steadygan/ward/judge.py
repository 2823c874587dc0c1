"""What the doctor, and rules beside it, say of a course: its record replayed."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

from steadygan.doctor import Diagnosis, Doctor, Finding
from steadygan.metrics.truth import Verdict
from steadygan.record import read
from steadygan.ward.baselines import BASELINES
from steadygan.ward.case import Case
from steadygan.ward.course import Course

_CAUSES = 3


@dataclass(frozen=True)
class Judgement:
    """The oracle's word on a run beside the doctor's.

    Args:
        case, seed, half, meant: which run, and what its author meant it to be.
        outcome, onset, was_well, steps: by the oracle.
        alarms: (kind, step at which it was first said) of critical findings, also of those that went.
        open: kinds of the critical findings at the end, in the diagnosis' order.
        said_onset: of the first of them.
        causes: names of its first three causes.
        right_kinds, right_causes: what the case accepts.
        baselines: rule -> step of its alarm, or None.
        same_live: whether the live diagnosis was the replayed one.
        doctor_s: seconds that the doctor took for the record.
    """

    case: str
    seed: int
    half: str
    meant: str
    outcome: Verdict
    onset: int | None
    was_well: bool
    steps: int
    alarms: tuple[tuple[str, int], ...]
    open: tuple[str, ...]
    said_onset: int | None
    causes: tuple[str, ...]
    right_kinds: tuple[str, ...]
    right_causes: tuple[str, ...]
    baselines: dict[str, int | None]
    same_live: bool
    doctor_s: float

    @property
    def caught(self) -> bool:
        """Whether a critical finding is open at the end."""
        return bool(self.open)

    @property
    def kind_is_right(self) -> bool:
        """Whether the first open critical finding is of a kind that the case accepts."""
        return bool(self.open) and self.open[0] in self.right_kinds

    @property
    def cause_is_right(self) -> bool:
        """Whether one of its first three causes is one that the case accepts."""
        return not set(self.causes).isdisjoint(self.right_causes)


def judge(case: Case, course: Course, folder: Path) -> Judgement:
    """Replay the record in the folder to a new doctor and to every baseline."""
    rows = list(read(folder / "record.jsonl").rows())
    began = time.perf_counter()
    diagnosis, alarms = _replayed(rows)
    seconds = time.perf_counter() - began
    critical = [f for f in diagnosis.findings if f.severity == "critical" and f.resolved is None]
    return Judgement(
        case=case.name,
        seed=course.seed,
        half=case.half,
        meant=case.expect.outcome,
        outcome=course.outcome,
        onset=course.onset,
        was_well=course.was_well,
        steps=course.steps,
        alarms=alarms,
        open=tuple(f.kind for f in critical),
        said_onset=critical[0].step if critical else None,
        causes=_causes(critical[0]) if critical else (),
        right_kinds=case.expect.kinds,
        right_causes=case.expect.causes,
        baselines={name: rule(rows) for name, rule in BASELINES.items()},
        same_live=course.same_live,
        doctor_s=seconds,
    )


def _replayed(rows: list[dict[str, float]]) -> tuple[Diagnosis, tuple[tuple[str, int], ...]]:
    """The diagnosis at the end, and each critical finding with the step at which it was first said."""
    doctor = Doctor()
    said: dict[tuple[str, int], int] = {}
    for number, row in enumerate(rows):
        doctor.update(row)
        is_telling = "energy_distance" in row or number % 50 == 0 or number == len(rows) - 1
        if is_telling or not all(map(math.isfinite, row.values())):
            for finding in doctor.diagnosis().findings:
                if finding.severity == "critical":
                    said.setdefault((finding.kind, finding.step), int(row["step"]))
    return doctor.diagnosis(), tuple((kind, at) for (kind, _), at in said.items())


def _causes(finding: Finding) -> tuple[str, ...]:
    return tuple(cause.name for cause in finding.causes[:_CAUSES])
