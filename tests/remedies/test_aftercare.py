"""What was saved and has come to rest too far from the data is led nearer; what has not is left alone."""

import json

import pytest
from remedies.patients import EVERY, WELL, finding, made_pilot, probed

from steadygan.remedies.aftercare import SPAN, UNSETTLED, Aftercare
from steadygan.remedies.autopilot import Autopilot
from steadygan.remedies.ladders import ladder
from steadygan.remedies.trial import WINDOW, Trial

FLICKERS = {"energy_distance": 0.01, "coverage": 0.6, "dispersion": 0.95}  # an illness of 0.16
NEAR = {"energy_distance": 0.0, "coverage": 0.9, "dispersion": 0.95}


def dues(care: Aftercare, scores: list[float]) -> list[int]:
    """The probes at which it asks for more."""
    return [i for i, score in enumerate(scores) if care.due(score, 10 * i) is not None]


def begun() -> Aftercare:
    care = Aftercare()
    care.begin()
    return care


def test_without_a_recovery_it_never_asks() -> None:
    assert dues(Aftercare(), [0.2] * 100) == []


def test_at_rest_and_far_it_asks_thrice_and_no_more() -> None:
    assert dues(begun(), [0.2] * 100) == [2 * SPAN - 1, 4 * SPAN - 1, 6 * SPAN - 1]


@pytest.mark.parametrize("score", [0.0, 0.04])
def test_near_the_data_it_asks_for_nothing(score: float) -> None:
    assert dues(begun(), [score] * 100) == []


def test_what_still_gets_nearer_is_waited_for() -> None:
    assert dues(begun(), [10 * 0.95**i for i in range(60)]) == []


def test_one_flicker_in_eight_probes_counts() -> None:
    assert dues(begun(), ([0.01] * 7 + [0.5]) * 3) == [2 * SPAN - 1]


def test_a_state_goes_on_where_it_was() -> None:
    care = begun()
    assert dues(care, [0.2] * 20) == [15]
    resumed = Aftercare()
    resumed.load_state_dict(json.loads(json.dumps(care.state_dict())))
    assert dues(resumed, [0.2] * 50) == dues(care, [0.2] * 50) != []


def recovered() -> tuple[Autopilot, int]:
    """A pilot whose first treatment has brought a recovery, and the step after it."""
    pilot = made_pilot()
    probed(pilot, range(EVERY, 61, EVERY))
    probed(pilot, range(70, 81, EVERY), finding("mode_collapse", "no_penalty"))
    probed(pilot, range(90, 160, EVERY), signals=WELL)
    assert [e.outcome for e in pilot.ledger] == ["recovered"]
    return pilot, 160


def test_rates_are_lowered_after_a_recovery_and_what_is_no_worse_is_kept() -> None:
    pilot, step = recovered()
    probed(pilot, range(step, step + 16 * EVERY, EVERY), signals=FLICKERS)
    entry = pilot.ledger[-1]
    assert (entry.finding, entry.severity) == (UNSETTLED, "warning")
    assert [a["action"] for a in entry.actions] == [
        "ScaleLearningRate"
    ] * 2  # nothing is gone back from
    step += 16 * EVERY
    probed(pilot, range(step, step + WINDOW * EVERY, EVERY), signals=NEAR)
    assert pilot.ledger[-1].outcome == "no worse, keep"
    assert pilot.game.rates["g"].factor == pilot.game.rates["d"].factor == 0.25
    probed(pilot, range(step + WINDOW * EVERY, step + 60 * EVERY, EVERY), signals=NEAR)
    assert len(pilot.ledger) == 2


def test_what_makes_it_worse_is_undone_and_ends_it() -> None:
    pilot, step = recovered()
    probed(pilot, range(step, step + 16 * EVERY, EVERY), signals=FLICKERS)
    step += 16 * EVERY
    worse = {**FLICKERS, "coverage": 0.3}
    probed(pilot, range(step, step + WINDOW * EVERY, EVERY), signals=worse)
    assert pilot.ledger[-1].outcome == "undone: no recovery"
    assert pilot.game.rates["g"].factor == 1.0
    probed(pilot, range(step + WINDOW * EVERY, step + 60 * EVERY, EVERY), signals=worse)
    assert len(pilot.ledger) == 2
    assert pilot.reason is None


def test_what_is_critical_comes_before_it() -> None:
    pilot, step = recovered()
    probed(pilot, range(step, step + 16 * EVERY, EVERY), signals=FLICKERS)
    step += 16 * EVERY
    probed(pilot, range(step, step + 3 * EVERY, EVERY), finding(step=step))
    assert [e.outcome for e in pilot.ledger[:2]] == ["recovered", "undone: no recovery"]
    assert pilot.ledger[2].finding == "mode_collapse"


def test_its_trial_takes_the_noise_of_a_mean_for_nothing() -> None:
    trial = Trial(0, 0, 0.1, 0.1, is_aftercare=True)
    assert [trial.judge(0.12, []) for _ in range(WINDOW)][-2:] == ["wait", "recovered"]
    trial = Trial(0, 0, 0.1, 0.1, is_aftercare=True)
    assert [trial.judge(0.13, []) for _ in range(WINDOW)][-1] == "failed"


def test_its_ladder_is_rates_penalty_rates() -> None:
    care = begun()
    found = [f for _ in range(2 * SPAN) if (f := care.due(0.2, 0)) is not None]
    names = [type(rung).__name__ for rung in ladder(found[0]) if not rung.stays]
    assert names == ["SlowDown", "Damp", "SlowDown"]
