"""The diagnosis: the verdict, every finding, and what could not be assessed."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from steadygan.doctor.findings import Finding

Verdict = Literal["healthy", "warning", "failing", "not assessed"]

SCHEMA = 1
_INDENT = " " * 12


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor thinks after ``steps`` steps; ``print`` it, or store it with ``to_json``.

    Args:
        steps: the last step seen.
        findings: open ones first, then by severity, then the more telling kind, then by onset.
        not_assessed: kind of finding -> why nothing can be said about it.
        assessed: whether anything could be judged at all.
        treatments: the ledger of a treated run, as plain JSON values.
    """

    steps: int
    findings: tuple[Finding, ...] = ()
    not_assessed: Mapping[str, str] = field(default_factory=dict)
    assessed: bool = True
    treatments: tuple[Mapping[str, Any], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """ "failing" while a critical finding is open, "warning" while a warning is, else "healthy".

        "not assessed" where no detector found its signals: no news is not good news.
        """
        if not self.assessed:
            return "not assessed"
        severities = {f.severity for f in self.findings if f.resolved is None}
        if "critical" in severities:
            return "failing"
        return "warning" if "warning" in severities else "healthy"

    def to_json(self) -> str:
        """One JSON object, schema 1; numbers that JSON has no word for are strings, as in the record."""
        tree: dict[str, Any] = {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "steps": self.steps,
            "not_assessed": [{"kind": k, "reason": why} for k, why in self.not_assessed.items()],
            "findings": [_finding_tree(finding) for finding in self.findings],
        }
        if self.treatments:
            tree["treatments"] = list(self.treatments)
        return json.dumps(tree, allow_nan=False)

    def __str__(self) -> str:
        """A few lines for a person."""
        lines = [f"{self.verdict} after {self.steps:,} steps"]
        for finding in self.findings:
            lines += _finding_lines(finding, self.steps)
        if self.not_assessed:
            lines.append("not assessed: " + _grouped(self.not_assessed))
        return "\n".join(lines)


def _finding_tree(finding: Finding) -> dict[str, Any]:
    tree = asdict(finding)
    for item in tree["evidence"]:
        if not math.isfinite(value := item["observed"]):
            item["observed"] = (
                "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
            )
    return tree


def _finding_lines(finding: Finding, steps: int) -> list[str]:
    since = f"since step {finding.step:,}"
    if finding.resolved is not None:
        since = f"from step {finding.step:,} to {finding.resolved:,}, resolved"
    seen = "; ".join(item.sentence for item in finding.evidence)
    severity = finding.severity.upper()
    lines = [f"step {steps:,}  {severity}  {finding.kind}   {seen}; {since}"]
    if finding.causes:
        lines.append(_numbered("likely causes", [cause.text for cause in finding.causes]))
    if finding.remedies:
        lines.append(_numbered("try", [name.replace("_", " ") for name in finding.remedies]))
    return lines


def _numbered(title: str, items: list[str]) -> str:
    return f"{_INDENT}{title}: " + "  ".join(f"{n}. {text}" for n, text in enumerate(items, 1))


def _grouped(not_assessed: Mapping[str, str]) -> str:
    kinds: dict[str, list[str]] = {}
    for kind, reason in not_assessed.items():
        kinds.setdefault(reason, []).append(kind)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in kinds.items())
