"""Sweeps: trials that teach the next, survive in their storage, and end early where the doctor has seen enough."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steadygan.doctor import Diagnosis, Finding
from steadygan.errors import ConfigError
from steadygan.recipes import Recipe
from steadygan.recipes.space import Choice, Range, load_space
from steadygan.recipes.sweep import sweep

TINY = (
    "network.width=4",
    "network.depth=1",
    "batch=8",
    "probe.num=24",
    "probe.every=2",
    "steps=12",
    "samples.num=4",
    "penalties={}",
)


def space(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return path


def test_a_space_has_ranges_and_choices(tmp_path: Path) -> None:
    text = "optimizer.g.lr: {low: 1e-4, high: 1e-2, log: true}\nbatch: {low: 8, high: 16}\nobjective: [hinge]"
    assert load_space(space(tmp_path, text)) == (
        Range("optimizer.g.lr", 1e-4, 1e-2, log=True),
        Range("batch", 8, 16, whole=True),
        Choice("objective", ("hinge",)),
    )


@pytest.mark.parametrize(
    "text", ["[]", "a: 1", "a: {low: 1}", "a: {low: 2, high: 1}", "a: {low: 0, high: 1, log: true}"]
)
def test_a_space_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="--space"):
        load_space(space(tmp_path, text))


def test_trials_stay_in_the_storage(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    dims = load_space(
        space(
            tmp_path,
            "optimizer.g.lr: {low: 1e-4, high: 1e-2, log: true}\nobjective: [hinge, wasserstein]",
        )
    )
    out = tmp_path / "sweep"
    first = sweep("rings", dims, trials=1, out=out, settings=TINY)
    both = sweep("rings", dims, trials=1, out=out, settings=TINY)
    assert len(first) == 1
    assert sorted(t.number for t in both) == [0, 1]
    assert all(t.settings["objective"] in ("hinge", "wasserstein") for t in both)
    assert len({t.settings["optimizer.g.lr"] for t in both}) == 2, (
        "a resumed sweep tries new settings"
    )
    assert all(0 <= t.failure_rate <= 1 and 0 <= t.distance <= 1 for t in both)
    scores = [t.failure_rate + t.distance for t in both]
    assert scores == sorted(scores)
    assert (out / "trial-0001-seed-0" / "record.jsonl").exists()


def test_a_trial_ends_where_the_doctor_stands_by_its_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four looks at a failing game of which the third is the last; one healthy look starts the count anew."""
    pytest.importorskip("optuna")
    made: list[int] = []

    def failing(recipe: Recipe, *, out: Path, progress: Callable[..., None]) -> None:
        for step in range(1, recipe.steps + 1):
            made.append(step)
            found = () if step == 2 else (Finding("mode_collapse", "critical", step, ()),)
            progress(step, recipe.steps, {"energy_distance": 0.9}, Diagnosis(step, found))

    monkeypatch.setattr("steadygan.recipes.sweep.train", failing)
    dims = (Choice("objective", ("hinge",)),)
    (trial,) = sweep("rings", dims, trials=1, out=tmp_path, seeds=3, settings=TINY)
    assert trial.pruned
    assert trial.failure_rate == 1.0
    assert trial.distance == 0.9
    assert made == list(range(1, 9))  # looks at 2 (healthy), 4, 6 and 8; no second seed


def test_a_training_that_explodes_is_a_failed_trial(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    found = sweep(
        "rings",
        (Choice("optimizer.g", ({"name": "sgd", "lr": 1e9},)),),
        trials=1,
        out=tmp_path,
        settings=(*TINY, "objective=wasserstein", "optimizer.d={name: sgd, lr: 1e9}"),
    )
    assert (found[0].failure_rate, found[0].distance) == (1.0, 1.0)
    assert found[0].outcomes == ("exploded",)
