"""A sitting of a run: what its record holds, and that a resumed one holds the same."""

import math
from pathlib import Path

import pytest

from steadygan.doctor import examine
from steadygan.recipes import resume, train
from steadygan.record import Record, read
from steadygan.record.importers import RecordLog

SMALL = ["network.width=16", "batch=16", "evaluate.num=0", "samples.every=0", "probe.num=64"]


def run(out: Path, *changes: str, recipe: str = "rings") -> Record:
    train(recipe, out=out, overrides=[*SMALL, *changes])
    return read(out / "record.jsonl")


def test_a_resumed_record_is_that_of_a_run_that_never_stopped(tmp_path: Path) -> None:
    """Drift included, which is a comparison with the probe before."""
    # Schedules would take another horizon.
    settings = ["probe.every=5", "checkpoint.every=5"]
    settings += [f"optimizer.{player}.schedule=null" for player in "gd"]
    whole = run(tmp_path / "whole", *settings, "steps=25")
    run(tmp_path / "part", *settings, "steps=15")
    resume(tmp_path / "part", steps=25)
    parts = read(tmp_path / "part" / "record.jsonl")
    assert set(parts.signals) == set(whole.signals)
    assert whole.measured("fixed_z_drift")[0].tolist() == [5, 10, 15, 20, 25]
    for signal in set(whole.signals) - {"step_s"}:
        for a, b in zip(parts.measured(signal), whole.measured(signal), strict=True):
            assert a.tolist() == b.tolist(), signal


def test_a_drift_over_less_than_an_interval_is_not_measured(tmp_path: Path) -> None:
    settings = ["probe.every=5", "checkpoint.every=4"]
    run(tmp_path / "run", *settings, "steps=8")
    resume(tmp_path / "run", steps=15)
    drift = read(tmp_path / "run" / "record.jsonl").measured("fixed_z_drift")[0].tolist()
    assert drift == [5, 15]


def test_what_a_probe_measures_in_train(tmp_path: Path) -> None:
    record = run(tmp_path / "run", "steps=12", "probe.every=4")
    for signal in ("energy_distance", "modes", "precision", "auc", "input_grad_between"):
        assert record.measured(signal)[0].tolist() == [1, 4, 8, 12], signal
    # The step's own signals stay those of its batch.
    assert record.measured("logit_real")[0].tolist() == list(range(1, 13))
    assert not {"auc_train", "nn_train"} & set(record.signals), "no reals are held out"


@pytest.mark.parametrize("recipe", ["rings", "digits"])
def test_probes_leave_the_training_alone(tmp_path: Path, recipe: str) -> None:
    few = ["steps=8", "checkpoint.every=0"]
    run(tmp_path / "with", *few, "probe.every=2", recipe=recipe)
    run(tmp_path / "without", *few, "probe.every=0", recipe=recipe)
    paths = [tmp_path / name / "generator.safetensors" for name in ("with", "without")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_labels_reach_both_networks(tmp_path: Path) -> None:
    record = run(tmp_path / "run", "steps=4", "probe.every=2", "data.labels=true", recipe="digits")
    assert math.isfinite(record.measured("auc")[1][-1])
    assert not record.events


def test_live_and_replayed_diagnosis_agree(tmp_path: Path) -> None:
    record = run(tmp_path / "run", "steps=130", "probe.every=3")
    assert (tmp_path / "run" / "diagnosis.json").read_text() == examine(record).to_json() + "\n"


@pytest.mark.parametrize("every", [1, 4])
def test_who_follows_a_finished_run_need_not_wait(tmp_path: Path, every: int) -> None:
    record = run(tmp_path / "run", "steps=10", f"record.every={every}", "probe.every=4")
    assert record.steps.tolist() == (list(range(1, 11)) if every == 1 else [4, 8, 10])
    log = RecordLog(tmp_path / "run" / "record.jsonl", growing=True)
    list(log.rows())
    assert log.ended
    assert [event.name for event in record.events] == ([] if every == 1 else ["finished"])
