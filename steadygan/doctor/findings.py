"""What a detector can say: a finding with its evidence, healthy, or not assessed."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


@dataclass(frozen=True)
class Evidence:
    """One observation.

    Args:
        signal: the record's name for it.
        observed: its value.
        expected: what a healthy run shows, in words: "above 0.78".
        sentence: both in plain words.
    """

    signal: str
    observed: float
    expected: str
    sentence: str


@dataclass(frozen=True)
class Cause:
    """A likely cause, and the signals that speak for it.

    Args:
        name: in snake case, for programs: "generator_too_fast".
        text: for people, with the numbers.
        evidence: the signals.
    """

    name: str
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something is wrong.

    Args:
        kind: what, one of ``KINDS``.
        severity: "critical": a person should stop and look.
        step: the onset, not the step at which it was noticed.
        evidence: strongest first, at least one.
        causes: likeliest first.
        remedies: names, in the order to try them.
        resolved: the step from which the evidence was gone; None while it lasts.
    """

    kind: str
    severity: Severity
    step: int
    evidence: tuple[Evidence, ...]
    causes: tuple[Cause, ...] = ()
    remedies: tuple[str, ...] = ()
    resolved: int | None = None


@dataclass(frozen=True)
class Healthy:
    """The signals are there and show nothing wrong, since ``step``."""

    step: int


@dataclass(frozen=True)
class NotAssessed:
    """Nothing can be said from this row, and why."""

    reason: str


Opinion = Finding | Healthy | NotAssessed


# What is broken comes before what the samples show, and that before what the game shows of it.
_TELLING = (
    *("non_finite", "miswired", "memorization", "discriminator_overfitting", "mode_collapse"),
    *("divergence", "oscillation", "vanishing_gradient", "discriminator_underpowered"),
    *("discriminator_overpowering", "exploding_gradient", "stagnation"),
)


def urgency(finding: Finding) -> tuple[bool, int, int, int]:
    """Sorts open findings first, then by severity, then the more telling kind, then by onset."""
    rank = _TELLING.index(finding.kind) if finding.kind in _TELLING else -1
    return (
        finding.resolved is not None,
        -SEVERITIES.index(finding.severity),
        rank,
        finding.step,
    )
