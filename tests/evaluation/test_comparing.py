"""Ranking: scores of different protocols refuse, noise is called noise."""

import json
import math

import pytest

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation import Evaluation, Score, compare
from steadygan.evaluation.comparing import Difference, Entrant, _holm, rank

PROTOCOL = {"feature map": "pca:64", "samples of the fakes": 1000, "comparable": True}


def score(value: float, half: float | None = 0.1, **protocol: object) -> Score:
    interval = None if half is None else (value - half, value + half)
    return Score("fid", value, interval, 1000, 1000, "lower", (), {**PROTOCOL, **protocol})


def evaluation(value: float, half: float | None = 0.1, **protocol: object) -> Evaluation:
    found = score(value, half, **protocol)
    return Evaluation({"fid": found}, {"map": "pca:64", "fingerprint": "ab"}, {"n": 1000})


def test_scores_compare_within_a_protocol() -> None:
    assert score(2.0) > score(1.5)
    assert score(1.5) < score(2.0)
    assert score(2.0) - score(1.5) == 0.5
    assert float(score(2.0)) == 2.0


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (score(1.0, **{"feature map": "random:0"}), "feature map is pca:64 in one and random:0"),
        (
            score(1.0, **{"samples of the fakes": 500}),
            "samples of the fakes is 1000 in one and 500",
        ),
        (score(1.0, reals="other"), "reals is None in one and other in the other"),
        (score(1.0, comparable=False), "nobody knows what they are"),
        (Score("kid", 1.0, None, 1, 1), "different metrics"),
    ],
)
def test_scores_refuse_what_means_nothing(other: Score, says: str) -> None:
    for attempt in (lambda: score(1.0) - other, lambda: score(1.0) < other):
        with pytest.raises(ConfigError, match=says):
            attempt()


def test_evaluations_survive_json() -> None:
    one = evaluation(1.5)
    again = Evaluation.from_json(one.to_json())
    assert again == one
    assert again["fid"] - one["fid"] == 0
    tree = json.loads(one.to_json())
    assert tree["schema"] == 1
    assert set(tree["metrics"]["fid"]) >= {"value", "interval", "n_fake", "n_real"}
    endless = evaluation(math.nan, None)
    assert json.loads(endless.to_json())["metrics"]["fid"]["value"] is None
    with pytest.raises(DataError, match="no evaluation"):
        Evaluation.from_json("{}")


def test_noise_and_differences() -> None:
    found = compare({"a": evaluation(1.0), "b": evaluation(1.05), "c": evaluation(3.0)})
    (ranking,) = found.rankings
    assert [e.name for e in ranking.entrants] == ["a", "b", "c"]
    assert ranking.between("a", "b").is_noise
    assert not ranking.between("a", "c").is_noise
    assert ranking.places() == [1, 1, 3]
    text = str(found)
    assert "noise: not told apart from a" in text
    assert "worse than a (p < 0.001)" in text
    tree = json.loads(found.to_json())
    assert [d["noise"] for d in tree["rankings"][0]["differences"]] == [True, False, False]


def test_the_test_is_z_with_holm() -> None:
    entrants = [Entrant(n, v, None, 1.0) for n, v in (("a", 0.0), ("b", 2.5), ("c", 5.0))]
    ranking = rank("fid", "lower", entrants)
    plain = {("a", "b"): 0.07710, ("b", "c"): 0.07710, ("a", "c"): 0.000407}
    assert ranking.between("a", "c").p == pytest.approx(3 * plain["a", "c"], rel=1e-2)
    assert ranking.between("a", "b").p == pytest.approx(2 * plain["a", "b"], rel=1e-3)
    assert _holm([0.01, math.nan, 0.5]) == [0.03, pytest.approx(math.nan, nan_ok=True), 1.0]


def test_higher_is_better_turns_the_order() -> None:
    entrants = [Entrant("low", 0.1, None, 0.01), Entrant("high", 0.9, None, 0.01)]
    assert [e.name for e in rank("recall", "higher", entrants).entrants] == ["high", "low"]


def test_without_an_interval_nothing_is_claimed() -> None:
    found = compare({"a": evaluation(1.0, None), "b": evaluation(9.0)})
    assert found.rankings[0].between("a", "b").is_noise
    assert "not known whether worse" in str(found)


def test_seeds_of_a_recipe_stand_together() -> None:
    """The intervals say the recipes differ; the spread between seeds says nobody knows."""
    values = {"a1": 1.0, "a2": 3.0, "b1": 1.5, "b2": 3.5}
    runs = {name: evaluation(value, 0.01) for name, value in values.items()}
    alone = compare(runs)
    together = compare(runs, {name: name[0] for name in runs})
    assert len(alone.rankings[0].entrants) == 4
    assert [e.value for e in together.rankings[0].entrants] == [2.0, 2.5]
    assert not alone.rankings[0].between("a1", "b1").is_noise
    assert together.rankings[0].differences[0].is_noise
    # Welch: difference 0.5, error √2, one degree of freedom each, hence two in all.
    assert together.rankings[0].differences[0].p == pytest.approx(0.7573, abs=1e-3)


def test_one_run_is_no_comparison() -> None:
    with pytest.raises(ConfigError, match="at least two runs, got 1"):
        compare({"a": evaluation(1.0)})
    with pytest.raises(ConfigError, match="must not be compared"):
        compare({"a": evaluation(1.0), "b": evaluation(1.0, **{"feature map": "pixels"})})


def test_a_difference_with_unknown_chance_is_noise() -> None:
    assert Difference("a", "b", 1.0, math.nan).is_noise
