"""Patience: several opinions of one sort in a row, both ways."""

import pytest

from steadygan.doctor import Detector, Evidence, Finding, Healthy, NotAssessed, Patient
from steadygan.doctor.detector import Row
from steadygan.doctor.findings import Opinion
from steadygan.errors import ConfigError


class Scripted(Detector):
    """Says what the row says: 1 bad, 0 good, absent nothing."""

    kind = "mode_collapse"
    needs = frozenset({"bad"})

    def update(self, row: Row) -> Opinion:
        step = int(row["step"])
        if "bad" not in row:
            return NotAssessed("not measured")
        if not row["bad"]:
            return Healthy(step)
        evidence = Evidence("bad", step, "0", f"bad at {step}")
        return Finding(self.kind, "critical", step, (evidence,))


def opinions(script: str, num: int) -> str:
    """One letter an opinion: b(ad), g(ood), - not assessed; the onset or recovery behind it."""
    patient, said = Patient(Scripted(), num), []
    for step, letter in enumerate(script, 1):
        row: dict[str, float] = {"step": step}
        if letter != "-":
            row["bad"] = float(letter == "b")
        opinion = patient.update(row)
        if isinstance(opinion, NotAssessed):
            said.append("-")
        else:
            said.append(f"{'b' if isinstance(opinion, Finding) else 'g'}{opinion.step}")
    return " ".join(said)


@pytest.mark.parametrize(
    ("script", "num", "expected"),
    [
        ("gbg", 1, "g1 b2 g3"),
        ("ggbgg", 2, "- g1 g1 g1 g4"),
        ("ggbbb", 2, "- g1 g1 b3 b3"),
        ("ggbbgbb", 2, "- g1 g1 b3 b3 b3 b6"),
        ("bbgg", 2, "- b1 b1 g3"),
        ("gg-b-b-", 2, "- g1 - g1 - b4 -"),
        ("bgbgbg", 2, "- - - - - -"),
        ("gggbbbggg", 3, "- - g1 g1 g1 b4 b4 b4 g7"),
    ],
)
def test_changes_its_mind_slowly(script: str, num: int, expected: str) -> None:
    assert opinions(script, num) == expected


def test_evidence_is_the_latest() -> None:
    patient = Patient(Scripted(), 2)
    for step in range(1, 5):
        found = patient.update({"step": step, "bad": 1.0})
    assert isinstance(found, Finding)
    assert (found.step, found.evidence[0].observed) == (1, 4)


def test_speaks_for_its_detector() -> None:
    patient = Patient(Scripted(), 2)
    assert (patient.kind, patient.needs) == ("mode_collapse", frozenset({"bad"}))


def test_refuses_less_than_one() -> None:
    with pytest.raises(ConfigError, match=r"Patient.num must be >= 1, got 0"):
        Patient(Scripted(), 0)
