"""Scores of a doctor over many judgements: who was found, who was troubled for nothing, how late, how rightly."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from steadygan.ward.baselines import BASELINES
from steadygan.ward.judge import Judgement


@dataclass(frozen=True)
class Detection:
    """Failing against healthy, by one rule; runs that the oracle calls neither are left out.

    Args:
        hits, misses: of the failing runs.
        false_alarms, quiet: of the healthy runs.
    """

    hits: int
    misses: int
    false_alarms: int
    quiet: int

    @property
    def precision(self) -> float:
        """Hits among alarms; 1 without any."""
        alarms = self.hits + self.false_alarms
        return self.hits / alarms if alarms else 1.0

    @property
    def recall(self) -> float:
        """Hits among failing runs; NaN without any."""
        failing = self.hits + self.misses
        return self.hits / failing if failing else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 without a hit."""
        return 2 * self.hits / max(1, 2 * self.hits + self.misses + self.false_alarms)


@dataclass(frozen=True)
class Scores:
    """What the ward says of the doctor.

    Args:
        doctor: failing against healthy: a hit is a critical finding open at the end, a false alarm a
            critical finding at any time of a healthy run.
        baselines: the same for every other rule; a hit there is an alarm at any time.
        kinds: hits of which the first critical finding is of an accepted kind.
        causes: hits with an accepted cause among the first three; of those that name some.
        with_causes: hits of cases that say which causes would be right.
        confusion: (accepted kinds, first critical finding or "none") -> runs that failed.
        onset_errors: |onset said − onset| / steps of hits that had been well before, sorted.
        healthy_runs, healthy_steps: that no alarm was due in.
        different_live: runs whose live diagnosis was not the replayed one.
        unlabelled: runs that the oracle calls neither.
        wrong: judgements to look at: missed, troubled for nothing, misnamed.
    """

    doctor: Detection
    baselines: dict[str, Detection]
    kinds: int
    causes: int
    with_causes: int
    confusion: dict[tuple[str, str], int]
    onset_errors: tuple[float, ...]
    healthy_runs: int
    healthy_steps: int
    different_live: int
    unlabelled: int
    doctor_s: float
    wrong: tuple[Judgement, ...]

    @property
    def onset_median(self) -> float:
        """Of the errors, as a share of the run; NaN without any."""
        return median(self.onset_errors) if self.onset_errors else math.nan

    @property
    def onset_p90(self) -> float:
        """Nine of ten errors are at most this; NaN without any."""
        errors = self.onset_errors
        return errors[math.ceil(0.9 * len(errors)) - 1] if errors else math.nan

    @property
    def alarm_bound(self) -> float:
        """With 95 % confidence, at most so many alarms per healthy run, had there been none: 3 / n."""
        return 3 / self.healthy_runs if self.healthy_runs else math.inf


def score(judgements: Sequence[Judgement]) -> Scores:
    """Add up the judgements of all runs."""
    failing = [j for j in judgements if j.outcome == "failing"]
    healthy = [j for j in judgements if j.outcome == "healthy"]
    hits = [j for j in failing if j.caught]
    well_before = [j for j in hits if j.was_well and j.onset is not None]
    caused = [j for j in hits if j.right_causes]
    errors = [abs((j.said_onset or 0) - (j.onset or 0)) / max(1, j.steps) for j in well_before]
    return Scores(
        doctor=_detection(failing, healthy, lambda j: j.caught, lambda j: bool(j.alarms)),
        baselines={name: _by_rule(name, failing, healthy) for name in BASELINES},
        kinds=sum(j.kind_is_right for j in hits),
        causes=sum(j.cause_is_right for j in caused),
        with_causes=len(caused),
        confusion=dict(
            Counter((_or(j.right_kinds), j.open[0] if j.open else "none") for j in failing)
        ),
        onset_errors=tuple(sorted(errors)),
        healthy_runs=len(healthy),
        healthy_steps=sum(j.steps for j in healthy),
        different_live=sum(not j.same_live for j in judgements),
        unlabelled=len(judgements) - len(failing) - len(healthy),
        doctor_s=sum(j.doctor_s for j in judgements),
        wrong=tuple(
            [j for j in failing if not j.caught or not j.kind_is_right]
            + [j for j in healthy if j.alarms]
        ),
    )


def _detection(
    failing: Sequence[Judgement],
    healthy: Sequence[Judgement],
    is_hit: Callable[[Judgement], bool],
    is_alarm: Callable[[Judgement], bool],
) -> Detection:
    hits, alarms = sum(map(is_hit, failing)), sum(map(is_alarm, healthy))
    return Detection(hits, len(failing) - hits, alarms, len(healthy) - alarms)


def _by_rule(name: str, failing: Sequence[Judgement], healthy: Sequence[Judgement]) -> Detection:
    def alarm(judgement: Judgement) -> bool:
        return judgement.baselines[name] is not None

    return _detection(failing, healthy, alarm, alarm)


def _or(kinds: Sequence[str]) -> str:
    return " or ".join(kinds) if kinds else "meant to be healthy"
