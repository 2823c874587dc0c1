"""The doctor's bookkeeping: onsets, recoveries, gaps; live and replayed alike."""

from pathlib import Path

import pytest
import torch

from steadygan.doctor import (
    KINDS,
    Detector,
    Doctor,
    Evidence,
    ExplodingGradient,
    Finding,
    Healthy,
    ModeCollapse,
    NonFinite,
    NotAssessed,
    Patient,
    examine,
)
from steadygan.doctor.detector import Row
from steadygan.doctor.findings import Opinion, Severity
from steadygan.errors import DataError
from steadygan.record import RecordWriter, read


class Scripted(Detector):
    """Says what the row says: 0 good, 1 warning, 2 critical, absent nothing."""

    def __init__(self, kind: str, signal: str) -> None:
        self.kind, self.signal, self.needs = kind, signal, frozenset({signal})

    def update(self, row: Row) -> Opinion:
        if self.signal not in row:
            return NotAssessed("not in this row")
        step, level = int(row["step"]), int(row[self.signal])
        if not level:
            return Healthy(step)
        severity: Severity = "critical" if level == 2 else "warning"
        evidence = Evidence(self.signal, float(step), "0", "")
        return Finding(self.kind, severity, step, (evidence,))


def few_detectors() -> list[Detector]:
    """One of each sort, so that a new default detector changes no expectation here."""
    players = [ExplodingGradient("g"), ExplodingGradient("d")]
    return [NonFinite(), *players, Patient(ModeCollapse())]


def doctor_for(**levels: str) -> Doctor:
    """Rows 1, 2, 3 … of scripted levels, "-" where absent."""
    doctor = Doctor([Scripted(kind, kind) for kind in levels])
    for step, row in enumerate(zip(*levels.values(), strict=True), 1):
        present = {k: float(v) for k, v in zip(levels, row, strict=True) if v != "-"}
        doctor.update({"step": step, **present})
    return doctor


def test_onset_recovery_and_recurrence() -> None:
    found = doctor_for(divergence="022000022-").diagnosis().findings
    assert [(f.step, f.resolved) for f in found] == [(8, None), (2, 4)]


def test_a_pause_shorter_than_the_finding_ends_nothing() -> None:
    found = doctor_for(divergence="0222200222-").diagnosis().findings
    assert [(f.step, f.resolved) for f in found] == [(2, None)]


def test_evidence_is_fresh_and_severity_the_worst() -> None:
    found = doctor_for(divergence="1211").diagnosis().findings
    assert [(f.step, f.severity, f.evidence[0].observed) for f in found] == [(1, "critical", 4.0)]


def test_a_gap_ends_no_finding() -> None:
    assert doctor_for(divergence="02---").diagnosis().findings[0].resolved is None


def test_open_before_resolved_then_severity_then_onset() -> None:
    doctor = doctor_for(
        divergence="00200", oscillation="01111", stagnation="00022", miswired="11111"
    )
    found = [f.kind for f in doctor.diagnosis().findings]
    assert found == ["stagnation", "miswired", "oscillation", "divergence"]


def test_every_kind_is_judged_or_listed_with_its_reason() -> None:
    doctor = Doctor(few_detectors())
    doctor.update({"step": 1, "loss_d": 1.0})
    gaps = doctor.diagnosis().not_assessed
    assert set(gaps) == set(KINDS) - {"non_finite"}
    assert gaps["mode_collapse"] == "not recorded: coverage, dispersion, energy_distance"
    assert gaps["exploding_gradient"].startswith("not recorded: grad_norm_")
    assert gaps["stagnation"] == "no detector yet"


def test_a_signal_that_is_there_but_not_yet_enough_has_its_own_reason() -> None:
    doctor = Doctor(few_detectors())
    for step in range(1, 20):
        doctor.update({"step": step, "grad_norm_d": 1.0})
    assert "192 rows" in doctor.diagnosis().not_assessed["exploding_gradient"]


def test_one_of_two_players_suffices() -> None:
    doctor = Doctor(few_detectors())
    for step in range(1, 300):
        doctor.update({"step": step, "grad_norm_d": 1.0 + 0.1 * (step % 3)})
    assert "exploding_gradient" not in doctor.diagnosis().not_assessed


def test_nothing_at_all() -> None:
    assert Doctor().diagnosis().verdict == "not assessed"
    assert examine([]).steps == 0


def test_rows_that_come_twice_count_once() -> None:
    rows: list[dict[str, float]] = [{"step": s, "bad": 2.0 if s == 3 else 0.0} for s in range(1, 6)]
    detectors = [Scripted("divergence", "bad")]
    once = examine(rows, detectors)
    contrary = [row | {"bad": 2.0 - row["bad"]} for row in rows]
    twice = [row for pair in zip(rows, contrary, strict=True) for row in pair]
    assert examine(twice, [Scripted("divergence", "bad")]) == once
    assert examine([*rows[:4], *rows], [Scripted("divergence", "bad")]) == once


def test_a_row_without_a_step() -> None:
    with pytest.raises(DataError, match="a row must have a 'step', got only"):
        Doctor().update({"loss_d": 1.0})


def test_live_is_replay(tmp_path: Path) -> None:
    """With NaN, probes now and then, an explosion and a collapse; from the file and from its rows."""
    path, live = tmp_path / "record.jsonl", Doctor()
    along = []
    with RecordWriter(path, flush_every=7) as writer:
        writer.listeners.append(lambda rows: [live.update(row) for row in rows])
        writer.listeners.append(lambda rows: along.append(live.diagnosis()))
        for step in range(1, 701):
            writer.append(step, signals_at(step))
    record = read(path)
    assert str(examine(record)) == str(live.diagnosis()) == str(along[-1])
    assert examine(record).to_json() == live.diagnosis().to_json()
    kinds = {f.kind for f in live.diagnosis().findings}
    assert kinds >= {"non_finite", "exploding_gradient", "mode_collapse"}
    for flushed, diagnosis in list(enumerate(along, 1))[::12]:
        assert examine(list(record.rows())[: 7 * flushed]).to_json() == diagnosis.to_json()


def test_a_resumed_doctor_knows_what_the_first_knew(tmp_path: Path) -> None:
    rows = [{"step": s} | {k: float(v) for k, v in signals_at(s).items()} for s in range(1, 701)]
    first, second = Doctor(), Doctor()
    for row in rows[:400]:
        first.update(row)
    for row in rows[:400]:
        second.update(row)
    assert second.diagnosis().to_json() == first.diagnosis().to_json()
    for row in rows[400:]:
        first.update(row)
        second.update(row)
    assert second.diagnosis().to_json() == first.diagnosis().to_json()


def signals_at(step: int) -> dict[str, torch.Tensor | float]:
    wobble = torch.sin(torch.tensor(1.7 * step))
    row: dict[str, torch.Tensor | float] = {
        "loss_d": wobble + 1 if step != 333 else torch.tensor(float("nan")),
        "grad_norm_d": torch.exp(wobble) * (100 if 400 <= step < 500 else 1),
    }
    if step % 10 == 0:
        collapsed = step >= 600
        row |= {
            "energy_distance": 0.9 if collapsed else 0.5 / step**0.5,
            "coverage": 0.02 if collapsed else 0.6,
            "dispersion": 0.1 if collapsed else 0.97,
        }
    return row
