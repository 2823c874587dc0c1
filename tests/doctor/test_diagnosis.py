"""The diagnosis as a verdict, as JSON and as text."""

import json
import math

import pytest

from steadygan.doctor import Cause, Diagnosis, Evidence, Finding
from steadygan.doctor.findings import Severity


def finding(severity: Severity = "critical", resolved: int | None = None) -> Finding:
    return Finding(
        kind="mode_collapse",
        severity=severity,
        step=900,
        resolved=resolved,
        evidence=(
            Evidence("dispersion", 0.06, "above 0.78", "samples are 0.06 times as diverse"),
            Evidence("loss_g", math.inf, "a number", "loss_g is inf"),
        ),
        causes=(Cause("rate", "the rate is high", ("lr_g",)), Cause("luck", "bad luck")),
        remedies=("lower_learning_rate_g", "add_r1_penalty"),
    )


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), "healthy"),
        ((finding("info"),), "healthy"),
        ((finding("warning"),), "warning"),
        ((finding("warning"), finding("critical")), "failing"),
        ((finding("critical", resolved=950),), "healthy"),
        ((finding("warning"), finding("critical", resolved=950)), "warning"),
    ],
)
def test_the_verdict_is_that_of_the_open_findings(
    findings: tuple[Finding, ...], verdict: str
) -> None:
    assert Diagnosis(1000, findings).verdict == verdict


def test_no_news_is_not_good_news() -> None:
    assert Diagnosis(0, assessed=False).verdict == "not assessed"


def test_json_schema_1() -> None:
    text = Diagnosis(1240, (finding(),), {"divergence": "no detector yet"}).to_json()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "schema": 1,
        "verdict": "failing",
        "steps": 1240,
        "not_assessed": [{"kind": "divergence", "reason": "no detector yet"}],
        "findings": [
            {
                "kind": "mode_collapse",
                "severity": "critical",
                "step": 900,
                "resolved": None,
                "evidence": [
                    {
                        "signal": "dispersion",
                        "observed": 0.06,
                        "expected": "above 0.78",
                        "sentence": "samples are 0.06 times as diverse",
                    },
                    {
                        "signal": "loss_g",
                        "observed": "Infinity",
                        "expected": "a number",
                        "sentence": "loss_g is inf",
                    },
                ],
                "causes": [
                    {"name": "rate", "text": "the rate is high", "evidence": ["lr_g"]},
                    {"name": "luck", "text": "bad luck", "evidence": []},
                ],
                "remedies": ["lower_learning_rate_g", "add_r1_penalty"],
            }
        ],
    }
    assert "\n" not in text


def test_printed() -> None:
    gaps = {"divergence": "no detector yet", "oscillation": "no detector yet", "x": "other"}
    assert str(Diagnosis(1240, (finding(), finding("warning", 950)), gaps)).splitlines() == [
        "failing after 1,240 steps",
        "step 1,240  CRITICAL  mode_collapse   samples are 0.06 times as diverse; loss_g is inf; "
        "since step 900",
        "            likely causes: 1. the rate is high  2. bad luck",
        "            try: 1. lower learning rate g  2. add r1 penalty",
        "step 1,240  WARNING  mode_collapse   samples are 0.06 times as diverse; loss_g is inf; "
        "from step 900 to 950, resolved",
        "            likely causes: 1. the rate is high  2. bad luck",
        "            try: 1. lower learning rate g  2. add r1 penalty",
        "not assessed: divergence, oscillation (no detector yet); x (other)",
    ]
