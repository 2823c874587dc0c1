"""Snapshots at probes: when they are taken, when they are proven, and which one to go back to."""

import math

import pytest
from remedies.patients import EVERY, finding, made_game

from steadygan.remedies import ScaleLearningRate
from steadygan.remedies.history import History
from steadygan.remedies.treated import TreatedGame


def lived(game: TreatedGame, *, well: int, ill: int = 0) -> History:
    """So many probes of each, ten steps apart."""
    history = History(game, EVERY)
    history.begin()
    for num in range(1, well + ill + 1):
        history.note(num * EVERY, 0.1 if num <= well else 0.9, is_well=num <= well)
    return history


def steps(game: TreatedGame, stamp: str) -> list[int]:
    return [s.step for s in game.snapshots.snapshots if s.stamp == stamp]


def test_a_snapshot_every_fourth_probe_is_proven_by_two_more() -> None:
    game = made_game()
    lived(game, well=5)
    assert steps(game, "healthy") == []
    assert steps(game, "unknown") == [0, 40]
    game = made_game()
    lived(game, well=6)
    assert steps(game, "healthy") == [40]


def test_an_ill_game_is_neither_kept_nor_proven() -> None:
    game = made_game()
    lived(game, well=4, ill=8)
    assert steps(game, "unknown") == [0, 40]
    assert steps(game, "healthy") == []


def test_it_goes_back_to_the_latest_proven_before_the_onset_then_further() -> None:
    game = made_game()
    history = lived(game, well=14, ill=2)
    assert steps(game, "healthy") == [40, 80, 120]
    assert history.place_to_go_back_to(finding(step=145), 0.9, 0) == 120
    assert history.place_to_go_back_to(finding(step=100), 0.9, 0) == 80
    assert history.place_to_go_back_to(finding(step=145), 0.9, 1) == 80
    assert history.place_to_go_back_to(finding(step=145), 0.9, 3) == 0  # to the very beginning


def test_what_is_not_acute_goes_back_only_from_worse_samples() -> None:
    history = lived(made_game(), well=7)
    slow = finding("stagnation", step=75)
    assert history.place_to_go_back_to(slow, 0.11, 0) is None
    assert history.place_to_go_back_to(slow, 0.2, 0) == 40
    assert history.place_to_go_back_to(slow, 0.2, 1) is None
    assert history.place_to_go_back_to(finding("non_finite", step=75), math.inf, 0) == 40


def test_rates_are_the_loops_own_while_it_was_well() -> None:
    game = made_game()
    history = lived(game, well=12)
    assert history.rates() == {"g": pytest.approx(0.01), "d": pytest.approx(0.01)}
    game = made_game()
    ScaleLearningRate("g", 0.5).apply(game)
    assert lived(game, well=4).rates()["g"] == pytest.approx(0.01)  # without the treatment


def test_a_snapshot_under_a_raised_rate_is_no_place() -> None:
    game = made_game()
    history = lived(game, well=12)
    for group in game.owners.by_player["d"].param_groups:
        group["lr"] = 0.1
    for num in range(13, 19):
        history.note(num * EVERY, 0.1, is_well=True)
    assert 160 in steps(game, "healthy")
    assert history.place_to_go_back_to(finding(step=185), 0.9, 0) == 120


def test_the_interval_is_seen_from_the_second_probe_on() -> None:
    history = History(made_game(), 50)
    history.note(1, 0.1, is_well=True)
    assert history.interval == 50
    history.note(20, 0.1, is_well=True)
    assert history.interval == 50
    history.note(40, 0.1, is_well=True)
    assert history.interval == 20


def test_its_memory_travels() -> None:
    game = made_game()
    history = lived(game, well=14)
    other = History(game)
    other.load_state_dict(history.state_dict())
    assert other.state_dict() == history.state_dict()
    assert other.place_to_go_back_to(finding(step=145), 0.9, 0) == 120


def test_a_run_that_never_was_well_begins_anew_whatever_is_wrong_with_it() -> None:
    history = lived(made_game(), well=0, ill=6)
    assert history.place_to_go_back_to(finding("stagnation", step=30), 0.9, 0) == 0


def test_an_onset_before_all_that_was_well_goes_back_to_the_oldest_of_that() -> None:
    history = lived(made_game(), well=14, ill=2)
    assert history.place_to_go_back_to(finding(step=5), 0.9, 0) == 40
    assert history.place_to_go_back_to(finding(step=5), 0.9, 1) == 80


def test_what_came_of_a_raised_rate_is_gone_back_from_whatever_it_is() -> None:
    game = made_game()
    history = lived(game, well=7)
    slow = finding("stagnation", step=75)
    assert history.place_to_go_back_to(slow, 0.11, 0) is None
    for group in game.owners.by_player["g"].param_groups:
        group["lr"] *= 100
    assert history.place_to_go_back_to(slow, 0.11, 0) == 40


def test_a_new_finding_after_forty_good_probes_is_a_new_story() -> None:
    assert not lived(made_game(), well=39).is_stable
    assert lived(made_game(), well=40).is_stable


def test_a_network_that_died_early_is_no_place() -> None:
    """Probes raised no finding, but samples never came nearer."""
    history = History(made_game(), EVERY)
    history.begin()
    for num in range(1, 10):
        history.note(num * EVERY, 2.0, is_well=num < 8)
    assert history.place_to_go_back_to(finding("vanishing_gradient", step=75), 2.1, 0) == 0


def test_where_little_was_gained_far_from_the_data_nothing_is_lost_by_going_back() -> None:
    history = History(made_game(), EVERY)
    history.begin()
    for num, score in enumerate([2.0, 1.0, 0.9, 0.8, 0.8, 0.8, 0.8, 0.75], 1):
        history.note(num * EVERY, score, is_well=True)
    slow = finding("stagnation", step=75)
    assert history.place_to_go_back_to(slow, 0.7, 0) == 40
    assert history.place_to_go_back_to(slow, 0.6, 0) is None


def test_what_was_learnt_by_heart_is_gone_back_from_to_before_it_began() -> None:
    """Later snapshots, however near their samples, hold it as well."""
    history = lived(made_game(), well=14, ill=2)
    assert history.place_to_go_back_to(finding("memorization", step=85), 0.1, 0) == 80
    assert history.place_to_go_back_to(finding("memorization", step=5), 0.1, 0) == 0
