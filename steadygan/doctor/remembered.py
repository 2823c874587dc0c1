"""Findings of a preflight in a record: told as an event, recalled by whoever reads it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.findings import Cause, Evidence, Finding, urgency

EVENT = "preflight"


def detail_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """The event's detail: every finding as a mapping."""
    return {"findings": [asdict(finding) for finding in diagnosis.findings]}


def recalled(events: Iterable[tuple[str, Mapping[str, Any]]]) -> Diagnosis | None:
    """The last preflight among events (name, detail); None where there was none, or it is unreadable."""
    found = None
    for name, detail in events:
        if name == EVENT:
            try:
                found = Diagnosis(0, tuple(restored_finding(tree) for tree in detail["findings"]))
            except (KeyError, TypeError):
                continue
    return found


def joined(diagnosis: Diagnosis, preflight: Diagnosis | None) -> Diagnosis:
    """The diagnosis of a run with what was found before its first step."""
    if preflight is None:
        return diagnosis
    findings = sorted((*diagnosis.findings, *preflight.findings), key=urgency)
    return replace(
        diagnosis,
        findings=tuple(findings),
        assessed=diagnosis.assessed or bool(preflight.findings),
    )


def finding_tree(finding: Finding) -> dict[str, Any]:
    """A finding as lists and mappings of plain values."""
    tree: dict[str, Any] = json.loads(json.dumps(asdict(finding)))
    return tree


def restored_finding(tree: Mapping[str, Any]) -> Finding:
    """The finding of ``finding_tree``; open."""
    return Finding(
        kind=str(tree["kind"]),
        severity=tree["severity"],
        step=int(tree["step"]),
        evidence=tuple(
            Evidence(e["signal"], float(e["observed"]), e["expected"], e["sentence"])
            for e in tree["evidence"]
        ),
        causes=tuple(Cause(c["name"], c["text"], tuple(c["evidence"])) for c in tree["causes"]),
        remedies=tuple(tree["remedies"]),
    )
