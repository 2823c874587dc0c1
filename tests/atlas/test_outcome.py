"""One word for a training, from rows of its record."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from steadygan.atlas import outcome
from steadygan.atlas.outcome import OUTCOMES, Outcome, Row, of_cell
from steadygan.data import Grid, Moons, Ring, SwissRoll
from steadygan.data.synthetic.synthetic import Synthetic
from steadygan.metrics.features import FeatureMap
from steadygan.probes.yardstick import Yardstick

WELL = {
    "energy_distance": 0.0,
    "nearness": 0.9,
    "modes": 1.0,
    "mode_shift": 0.15,
    "dispersion": 1.0,
    "fixed_z_drift": 0.02,
}
RING = Ring()
CASES = {
    "healthy": {},
    "collapsed": {"modes": 0.1, "dispersion": 0.1, "energy_distance": 0.9, "fixed_z_drift": 2.0},
    "oscillating": {"modes": 0.4, "energy_distance": 0.6, "fixed_z_drift": 0.5},
    "vanishing": {"nearness": 0.1, "energy_distance": 0.03, "fixed_z_drift": 0.001},
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
        return {**WELL, "nearness": 0.0, "fixed_z_drift": 0.3, "energy_distance": distance}

    assert outcome([at(2.0**-k) for k in range(6)]) == "vanishing"
    assert outcome([at(0.5) for _ in range(6)]) == "oscillating"


def test_a_chaotic_orbit_gets_one_word_whenever_it_is_looked_at() -> None:
    """Distances over three decades, as measured of Adam at rates of 0.05 on ``rings``: the word is of the game."""
    generator = np.random.default_rng(0)
    words = [
        outcome(
            {
                **WELL,
                "nearness": 0.1,
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


def test_what_moves_over_the_data_is_not_settled() -> None:
    """Every look finds the data well drawn, and every sample somewhere else: also where looks get better."""
    better = [{**WELL, "fixed_z_drift": 0.3, "energy_distance": 0.05 / (k + 1)} for k in range(20)]
    assert outcome(better) == "oscillating"
    assert outcome([{**row, "fixed_z_drift": 0.15} for row in better]) == "healthy"


def cloud(num: int) -> Tensor:
    return 1.2 * torch.randn(num, 2, generator=torch.Generator().manual_seed(5))


def on_modes(modes: list[int], std: float) -> Callable[[int], Tensor]:
    def draw(num: int) -> Tensor:
        generator = torch.Generator().manual_seed(5)
        centres = Ring().scale.to_network(Ring().centres)
        kept = centres[torch.tensor(modes)[torch.arange(num) % len(modes)]]
        return kept + std * torch.randn(num, 2, generator=generator)

    return draw


@pytest.mark.parametrize("std", [0.014, 0.05, 0.15])
@pytest.mark.parametrize(
    ("modes", "word"),
    [
        (range(8), "healthy"),
        (range(7), "healthy"),
        (range(6), "collapsed"),
        ([0, 1, 2, 4, 5, 6], "collapsed"),
        ([0, 1, 3, 4, 6], "collapsed"),
    ],
)
def test_samples_on_some_modes_of_a_ring(modes: list[int], word: str, std: float) -> None:
    """Opposite modes lost leave energy distance and dispersion as they were."""
    assert outcome(looks_at(on_modes(list(modes), std))) == word


def test_a_cloud_in_the_place_of_a_ring_is_not_healthy() -> None:
    rows = looks_at(cloud)
    assert rows[0]["energy_distance"] < 0.05
    assert rows[0]["modes"] == 1
    assert outcome(rows) == "vanishing"


@pytest.mark.parametrize("source", [Grid(), Moons(), SwissRoll()])
def test_a_cloud_over_other_sets_is_not_healthy(source: Synthetic) -> None:
    assert outcome(looks_at(lambda num: cloud(num) * 0.6, source)) != "healthy"
    assert outcome(looks_at(lambda num: source.reference(num, seed=9)[0], source)) == "healthy"


def looks_at(draw: Callable[[int], Tensor], source: Synthetic = RING) -> list[Row]:
    real, _ = source.reference(512, seed=0)
    features = FeatureMap.fit(real[:256])
    found = Yardstick(features(real[256:])).compare(features(draw(256)))
    return [{name: float(v) for name, v in found.items()} | {"fixed_z_drift": 0.0}] * 6


@pytest.mark.parametrize(
    ("seeds", "word"),
    [
        ("h", "healthy"),
        ("hhhc", "healthy"),
        ("hhcc", "collapsed"),
        ("hhoc", "collapsed"),
        ("hvvo", "vanishing"),
        ("ovev", "vanishing"),
        ("hhcve", "collapsed"),
        ("hhhve", "healthy"),
    ],
)
def test_the_word_of_a_cell(seeds: str, word: str) -> None:
    names: dict[str, Outcome] = {o[0]: o for o in OUTCOMES}
    words = [names[seed] for seed in seeds]
    assert of_cell(words) == word
    assert of_cell(words[::-1]) == word
