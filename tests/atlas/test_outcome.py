"""One word for a training, from rows of its record."""

import math

import numpy as np
import pytest

from steadygan.atlas import outcome
from steadygan.atlas.outcome import Row

WELL = {
    "energy_distance": 0.0,
    "coverage": 0.9,
    "modes": 1.0,
    "mode_shift": 0.15,
    "dispersion": 1.0,
    "fixed_z_drift": 0.02,
}
CASES = {
    "healthy": {},
    "collapsed": {"modes": 0.1, "dispersion": 0.1, "energy_distance": 0.9, "fixed_z_drift": 2.0},
    "oscillating": {"modes": 0.4, "energy_distance": 0.6, "fixed_z_drift": 0.5},
    "vanishing": {"coverage": 0.0, "energy_distance": 0.08, "fixed_z_drift": 0.001},
    "exploded": {"energy_distance": 60.0, "dispersion": 3.0},
}


@pytest.mark.parametrize("word", CASES)
def test_every_word_has_its_case(word: str) -> None:
    assert outcome([WELL] * 10 + [{**WELL, **CASES[word]}] * 6) == word


def test_modes_that_stay_away_are_a_collapse() -> None:
    assert outcome([{**WELL, "modes": 0.5, "mode_shift": 0.45}] * 6) == "collapsed"


@pytest.mark.parametrize("name", ["loss_d", "loss_g", "grad_norm_g", "energy_distance"])
def test_one_number_that_is_none_is_an_explosion(name: str) -> None:
    assert outcome([WELL, {name: math.nan}, *[WELL] * 9]) == "exploded"


def test_what_is_not_measured_decides_nothing() -> None:
    assert outcome([{"step": 3.0, "r1": math.nan}, *[WELL] * 6]) == "healthy"


def test_one_bad_look_does_not_undo_five_good_ones() -> None:
    bad = {**WELL, **CASES["collapsed"]}
    assert outcome([WELL, WELL, WELL, bad, WELL, WELL]) == "healthy"


def test_moving_towards_the_data_is_no_oscillation() -> None:
    def at(distance: float) -> Row:
        return {**WELL, "coverage": 0.0, "fixed_z_drift": 0.3, "energy_distance": distance}

    assert outcome([at(2.0**-k) for k in range(6)]) == "vanishing"
    assert outcome([at(0.5) for _ in range(6)]) == "oscillating"


def test_a_chaotic_orbit_gets_one_word_whenever_it_is_looked_at() -> None:
    """Distances over three decades, as measured of Adam at rates of 0.05 on ``rings``: the word is of the game."""
    generator = np.random.default_rng(0)
    words = [
        outcome(
            {
                **WELL,
                "coverage": 0.0,
                "modes": generator.uniform(0.05, 0.5),
                "mode_shift": generator.uniform(0.6, 0.95),
                "energy_distance": 10 ** generator.uniform(-0.7, 1.7),
                "dispersion": 10 ** generator.uniform(-0.7, 0.5),
                "fixed_z_drift": 10 ** generator.uniform(-0.2, 1.3),
            }
            for _ in range(20)
        )
        for _ in range(200)
    ]
    assert words.count("oscillating") > 190


def test_far_at_some_looks_is_not_gone() -> None:
    far, back = {**WELL, **CASES["exploded"], "fixed_z_drift": 20.0}, {**WELL, "modes": 0.3}
    assert outcome([WELL, *[far] * 19]) == "exploded"
    assert outcome([WELL, *[far, {**back, "fixed_z_drift": 20.0}] * 10]) == "oscillating"
