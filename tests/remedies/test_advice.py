"""Advice: every treatment in effect as a setting, and what a person has to mend."""

from remedies.patients import made_game

from steadygan.remedies import (
    AddNoise,
    AddPenalty,
    AverageWeights,
    ClipGradient,
    NormaliseSpectrally,
    ScaleLearningRate,
    SkipSteps,
)
from steadygan.remedies.advice import advice
from steadygan.remedies.ledger import Entry, Ledger


def test_nothing_in_effect_nothing_to_change() -> None:
    assert "Nothing to change" in advice(made_game(), Ledger())


def test_each_treatment_is_a_setting() -> None:
    game = made_game(lr=1e-3)
    undo = ScaleLearningRate("g", 0.25).apply(game)
    for action in (
        AddPenalty("R1", 0.5, every=4, relative=True),
        ClipGradient("d", 3.0, "median"),
        SkipSteps("d", 0.5),
        AddNoise(0.1),
        NormaliseSpectrally(),
        AverageWeights(500.0),
    ):
        action.apply(game)
    lines = advice(game, Ledger()).splitlines()
    assert lines[0] == "For the next run:"
    assert "- generator: learning rate 0.00025 instead of 0.001" in lines
    assert any("R1 with weight 0.5, every 4 steps, slopes measured" in line for line in lines)
    assert any("clip gradients (median, 3)" in line for line in lines)
    assert "- discriminator: step in 0.5 of the iterations only" in lines
    assert any("noise" in line for line in lines)
    assert "- discriminator: spectral normalisation" in lines
    assert any("half-life 500 steps" in line for line in lines)
    undo.apply(game)
    assert not any("learning rate" in line for line in advice(game, Ledger()).splitlines())


def test_what_a_person_has_to_mend_is_listed() -> None:
    ledger = Ledger(
        [
            Entry(5, "miswired", "critical", "", outcome="reported: mend the wiring"),
            Entry(
                9, "divergence", "critical", "", outcome="cannot be saved: divergence; tried: R1"
            ),
            Entry(9, "divergence", "critical", "R1", outcome="recovered"),
        ]
    )
    assert advice(made_game(), ledger).splitlines()[1:] == [
        "- miswired: mend the wiring",
        "- divergence: tried: R1",
    ]
