"""The ledger: lines for people, JSON for programs, a file that is whole at every instant."""

import json
from dataclasses import replace
from pathlib import Path

from steadygan.remedies import AddPenalty, RollBack
from steadygan.remedies.ledger import Entry, Ledger, read_ledger

TREATED = Entry(
    1240,
    "mode_collapse",
    "critical",
    "generator lr 0.001 → 0.00025",
    signal="dispersion",
    verify_by=1640,
    trace=(0.06, 0.31),
    outcome="improving, keep",
    cause="G's steps are too long",
)


def test_lines_are_those_of_the_manual() -> None:
    line = str(TREATED)
    assert line.startswith("step 1,240  mode_collapse (critical)  → generator lr 0.001 → 0.00025")
    assert "verify by step 1,640: dispersion 0.06 → 0.31  improving, keep" in line
    assert line.endswith("cause: G's steps are too long")
    assert str(replace(TREATED, trace=(None, None))).count("?") == 2
    nothing_done = Entry(7, "miswired", "critical", "", outcome="reported: wiring")
    assert str(nothing_done) == "step 7  miswired (critical)  reported: wiring"
    assert str(Ledger()) == "no treatment"
    assert str(Ledger([TREATED, nothing_done])).splitlines() == [line, str(nothing_done)]


def test_an_entry_takes_words_readings_and_json_from_its_actions() -> None:
    actions = (RollBack(800, before=None, after=800), AddPenalty("R1", 0.5, before=0.0, after=0.5))
    entry = TREATED.of(actions)
    assert "roll back to step 800, " in entry.action
    assert (entry.before, entry.after) == ([None, 0.0], [800, 0.5])
    assert [tree["action"] for tree in entry.actions] == ["RollBack", "AddPenalty"]


def test_json_and_back(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    ledger.write(TREATED.of((AddPenalty("R1", 0.5),)))
    ledger.write(Entry(9, "non_finite", "critical", "", trace=(None, 0.5)))
    ledger.amend(1, replace(ledger[1], outcome="survived"))
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines()
    trees = [json.loads(line) for line in lines]
    assert {"step", "finding", "action", "before", "after", "outcome"} <= set(trees[0])
    assert trees[1]["outcome"] == "survived"
    assert read_ledger(trees) == list(ledger)
    assert read_ledger(ledger.trees()) == list(ledger)
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_what_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    ledger.write(TREATED)
    (tmp_path / "ledger.jsonl").unlink()
    ledger.amend(0, replace(TREATED))
    assert not (tmp_path / "ledger.jsonl").exists()


def test_an_older_ledger_is_still_read() -> None:
    tree = {k: v for k, v in Ledger([TREATED]).trees()[0].items() if k != "cause"}
    assert read_ledger([tree]) == [replace(TREATED, cause="")]
