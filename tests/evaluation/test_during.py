"""Evaluation while a run trains: rows, the best generator, an exact resume, and a training that does not notice."""

import json
from pathlib import Path
from typing import Any

import pytest

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.during import read_rows
from steadygan.recipes import evaluated, resume, train
from steadygan.recipes.sampling import draw_samples

SMALL = ["network.width=16", "batch=16", "samples.every=0", "probe.every=0", "evaluate.num=100"]
ASKED = ["evaluate.every=4", "evaluate.metrics=[fid,c2st,sliced_wasserstein]", "evaluate.best=fid"]


def rows(out: Path, *changes: str, recipe: str = "digits") -> list[dict[str, Any]]:
    train(recipe, out=out, overrides=[*SMALL, *changes])
    return read_rows(out / "metrics.jsonl")


def test_rows_at_every_due_step_and_at_the_end(tmp_path: Path) -> None:
    found = rows(tmp_path / "run", *ASKED, "steps=10", "evaluate.features=pca:8")
    assert [row["step"] for row in found] == [4, 8, 10]
    assert set(found[0]["intervals"]) == {"fid", "c2st", "sliced_wasserstein"}
    measured = found[0]["measured"]
    assert measured["map"] == "pca:8"
    assert measured["n_fake"] == measured["n_real"] == 100
    best = json.loads((tmp_path / "run" / "best.json").read_text())
    assert best["value"] == min(row["fid"] for row in found)
    assert best["step"] == min(found, key=lambda row: row["fid"])["step"]


@pytest.mark.parametrize("recipe", ["digits", "rings"])
def test_the_training_does_not_notice(tmp_path: Path, recipe: str) -> None:
    metrics = "evaluate.metrics=[fid,kid,prdc,c2st,ndb,energy_distance,sliced_wasserstein]"
    rows(tmp_path / "with", "steps=8", "evaluate.every=2", metrics, recipe=recipe)
    rows(tmp_path / "without", "steps=8", "evaluate.num=0", recipe=recipe)
    with_, without = (
        (tmp_path / name / "generator.safetensors").read_bytes() for name in ("with", "without")
    )
    assert with_ == without


def test_a_resumed_run_has_the_rows_and_the_best_of_one_that_never_stopped(tmp_path: Path) -> None:
    settings = [*ASKED, "checkpoint.every=5"]
    settings += [f"optimizer.{player}.schedule=null" for player in "gd"]
    whole = rows(tmp_path / "whole", *settings, "steps=16")
    rows(tmp_path / "part", *settings, "steps=10")
    # What a run that was killed at step 14 leaves behind: a row beyond its checkpoint.
    with (tmp_path / "part" / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 12, "fid": -1.0}) + "\n")
    resume(tmp_path / "part", steps=16)
    part = read_rows(tmp_path / "part" / "metrics.jsonl")
    # The shorter run also measured its own end.
    assert [row for row in part if row["step"] != 10] == whole
    a, b = ((tmp_path / n / "best.safetensors").read_bytes() for n in ("whole", "part"))
    assert a == b


def test_a_finished_run_resumed_adds_nothing(tmp_path: Path) -> None:
    found = rows(tmp_path / "run", *ASKED, "steps=8")
    summary = resume(tmp_path / "run")
    assert read_rows(tmp_path / "run" / "metrics.jsonl") == found
    assert summary.metrics["fid"] == found[-1]["fid"]


def test_in_the_background_the_rows_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = rows(tmp_path / "ahead", *ASKED, "steps=10")
    make = evaluated.Evaluating

    def in_background(**options: Any) -> Any:
        return make(**{**options, "background": True})

    monkeypatch.setattr(evaluated, "Evaluating", in_background)
    assert rows(tmp_path / "behind", *ASKED, "steps=10") == ahead
    a, b = (
        (tmp_path / name / file).read_bytes()
        for file in ("best.safetensors",)
        for name in ("ahead", "behind")
    )
    assert a == b


def test_the_usual_metrics(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "run", "steps=3", recipe="rings")
    names = {
        "precision",
        "recall",
        "density",
        "coverage",
        "energy_distance",
        "modes",
        "high_quality",
    }
    assert names == set(row) - {"step", "intervals", "measured"}


def test_samples_of_the_best(tmp_path: Path) -> None:
    rows(tmp_path / "run", *ASKED, "steps=8")
    samples, _, _ = draw_samples(tmp_path / "run", 3, best=True)
    assert samples.shape[0] == 3
    rows(tmp_path / "plain", "steps=2")
    with pytest.raises(ConfigError, match=r"holds no best\.safetensors"):
        draw_samples(tmp_path / "plain", 3, best=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("evaluate.metrics=[fidd]", "evaluate: unknown metric 'fidd'; did you mean 'fid'"),
        ("evaluate.features=pcaa", "evaluate: unknown feature map"),
        ("evaluate.metrics=[ppl]", "evaluate: metric ppl needs the generator"),
        ("evaluate.best=prdc", "evaluate: evaluate.best must be one metric"),
        ("evaluate.metrics=[modes]", "evaluate: metric modes needs a feature map that classifies"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_the_first_step(
    tmp_path: Path, change: str, says: str
) -> None:
    with pytest.raises((ConfigError, DataError), match=says):
        rows(tmp_path / "run", "steps=2", change)


def test_a_point_mass_is_no_reason_to_stop(tmp_path: Path) -> None:
    assert rows(tmp_path / "run", "steps=2", "data=dirac", recipe="rings") == []
