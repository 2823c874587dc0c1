"""The order of treatment: patience, one change at a time, undoing, escalation, and the end of it."""

import copy
import json
import math
from dataclasses import replace

import pytest
import torch
from remedies.patients import EVERY, ILL, finding, made_game, made_pilot, probed

from steadygan.doctor.findings import Cause, Evidence, Finding
from steadygan.remedies import SkipSteps, action_from_json
from steadygan.remedies.ladders import ladder
from steadygan.remedies.trial import WINDOW

HEALTHY = range(EVERY, 61, EVERY)
LATER = range(70, 5000, EVERY)


def test_one_look_is_not_enough_and_two_are() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:1], finding())
    assert list(pilot.ledger) == []
    probed(pilot, LATER[1:2], finding())
    assert len(pilot.ledger) == 1
    entry = pilot.ledger[0]
    assert entry.step == LATER[1]
    assert entry.verify_by == LATER[1] + WINDOW * EVERY
    assert entry.outcome == "trying"
    assert entry.signal == "dispersion"
    assert entry.trace == (0.1, None)


def test_warnings_and_what_has_healed_are_left_alone() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:20], replace(finding(), severity="warning"))
    probed(pilot, LATER[20:40], replace(finding(), resolved=65))
    assert list(pilot.ledger) == []


def test_wiring_is_reported_once() -> None:
    pilot = made_pilot()
    probed(pilot, LATER[:10], finding("miswired", "detached_loss"))
    assert [e.outcome for e in pilot.ledger] == [
        "reported: wiring and data are for a person to mend"
    ]
    assert not pilot.ledger[0].actions
    assert pilot.reason is None


def test_it_goes_back_and_changes_one_thing() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    game = pilot.game
    healthy = [s for s in game.snapshots.snapshots if s.step > 0]
    assert [s.step for s in healthy] == [40]
    probed(pilot, range(70, 91, EVERY))  # two more, and it is proven
    weights = copy.deepcopy(healthy[0].state["networks"]["g"])
    probed(pilot, range(100, 111, EVERY), finding(step=95))
    actions = pilot.ledger[0].actions
    assert [a["action"] for a in actions] == ["RollBack", "AddPenalty"]
    assert actions[0]["step"] in (40, 80)
    if actions[0]["step"] == 40:
        now = dict(game.networks["g"].named_parameters())
        assert all(torch.equal(now[name].detach(), weights[name]) for name in now)
    assert game.penalty.weight("R1") == pytest.approx(0.3)


def test_what_does_not_help_is_undone_before_the_next_is_tried() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[: WINDOW + 2], finding("mode_collapse", "generator_too_fast"))
    first, second = pilot.ledger[:2]
    assert first.outcome == "undone: no recovery"
    assert "generator lr 0.01 → 0.0025" in first.action
    assert first.step < second.step <= first.step + WINDOW * EVERY
    assert (
        pilot.game.rates["g"].factor == 0.25
    )  # the next rung's own quarter, not a quarter of a quarter
    assert pilot.game.penalty.is_on


def test_recovery_ends_a_trial_and_keeps_the_change() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:2], finding())
    probed(pilot, LATER[2:10])
    assert pilot.ledger[0].outcome == "recovered"
    assert pilot.ledger[0].trace == (0.1, 0.95)
    assert pilot.game.penalty.is_on
    probed(pilot, LATER[10:30])
    assert len(pilot.ledger) == 1


def test_what_helped_is_kept_when_it_is_not_enough() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:2], finding())
    better = {"energy_distance": 0.3, "coverage": 0.5, "dispersion": 0.5}
    probed(pilot, LATER[2 : 2 + WINDOW], finding(), signals=better)
    assert pilot.ledger[0].outcome == "helped, keep; go on"
    assert len(pilot.ledger) == 2
    assert pilot.game.penalty.weight("R1") >= 0.3


def test_at_the_end_of_the_ladder_it_says_why_and_rests() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:200], finding())
    assert pilot.reason is not None
    assert pilot.reason.startswith("cannot be saved: mode_collapse; ")
    assert pilot.ledger[-1].outcome == pilot.reason
    num = len(pilot.ledger)
    assert 3 <= num <= 9  # eight treatments at most
    probed(pilot, LATER[200:230], finding())
    assert len(pilot.ledger) == num
    tried = [a["action"] for e in pilot.ledger for a in e.actions]
    assert "ScaleLearningRate" in tried


def test_the_budget_of_treatments_holds() -> None:
    endless = lambda f: ladder(f) * 20  # noqa: E731  a ladder without an end
    pilot = made_pilot(prescribe=endless)
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:300], finding())
    assert sum(bool(e.actions) for e in pilot.ledger) <= 8
    assert "8 treatments did not last" in str(pilot.reason) or "tried" in str(pilot.reason)


@pytest.mark.parametrize(
    "kind", ["divergence", "oscillation", "exploding_gradient", "discriminator_underpowered"]
)
def test_no_ladder_leaves_the_hard_limits(kind: str) -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    for step in LATER[:120]:
        probed(pilot, range(step, step + 1), finding(kind))
        for knob in pilot.game.rates.values():
            assert 1 / 16 <= knob.factor <= 2
        for name, (penalty, _) in pilot.game.penalty.penalties.items():
            assert penalty.weight <= 30 * pilot.game.penalty.references[name]


def test_every_treatment_can_be_undone_from_the_ledgers_own_words() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:2], finding("mode_collapse", "generator_too_fast"))
    (change,) = [a for a in pilot.ledger[0].actions if a["action"] != "RollBack"]
    assert pilot.game.rates["g"].factor == 0.25
    again = action_from_json(json.loads(json.dumps(change)))
    undo = action_from_json(again.apply(pilot.game).to_json())
    assert pilot.game.rates["g"].factor == 0.25  # it states a setting, not a difference
    undo.apply(pilot.game)
    trial = pilot.state_dict()["therapy"]["trial"]
    for tree in trial["undo"]:
        action_from_json(tree).apply(pilot.game)
    assert pilot.game.rates["g"].factor == 1.0


def test_observing_touches_nothing_and_proposes_once() -> None:
    game = made_game()
    pilot = made_pilot(game, acts=False)
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:30], finding())
    assert [e.outcome for e in pilot.ledger] == ["proposed"]
    assert not any(knob.is_on for knob in game.knobs.values())


def test_a_raised_rate_is_led_back_first() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    for group in pilot.game.owners.by_player["g"].param_groups:
        group["lr"] = 0.1
    probed(pilot, LATER[:2], finding("divergence", "no_penalty"))
    assert not pilot.game.penalty.is_on
    rate = pilot.game.rates["g"].rate()
    assert rate is not None  # going back has led it back already, or a factor does
    assert rate * pilot.game.rates["g"].factor == pytest.approx(0.01)


def test_samples_that_are_no_numbers_end_a_trial() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    probed(pilot, LATER[:2], finding())
    probed(pilot, LATER[2:4], signals={"energy_distance": math.nan})
    assert pilot.ledger[0].outcome == "undone: no recovery"
    assert pilot.ledger[1].finding == "non_finite"


def test_a_lost_step_is_noted_and_step_after_step_is_treated() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    pilot.stumble(70, "gradient", "gradient not finite at g.weight of generator")
    pilot.stumble(71, "gradient", "gradient not finite at g.weight of generator")
    assert [e.outcome for e in pilot.ledger] == ["survived"]
    for step in range(72, 90):
        pilot.stumble(step, "gradient", "gradient not finite at g.weight of generator")
    treated = [e for e in pilot.ledger if e.actions]
    assert len(treated) == 1
    assert treated[0].finding == "non_finite"


def test_lost_steps_far_apart_are_accidents() -> None:
    pilot = made_pilot()
    for step in range(70, 1000, 30):
        pilot.stumble(step, "gradient", "gradient not finite at g.weight of generator")
    assert not any(e.actions for e in pilot.ledger)


@pytest.mark.parametrize("cut", [1, 2, 6, WINDOW + 3, 3 * WINDOW])
def test_it_goes_on_where_it_was(cut: int) -> None:
    seen: Finding = finding()

    def course(cut: int | None) -> str:
        pilot = made_pilot()
        probed(pilot, HEALTHY)
        for num, step in enumerate(LATER[:60]):
            if num == cut:
                state = json.loads(json.dumps(pilot.state_dict()))
                pilot = made_pilot(pilot.game)
                pilot.load_state_dict(state)
            probed(pilot, range(step, step + 1), seen, signals=ILL)
        return f"{pilot.ledger} {pilot.reason}"

    assert course(cut) == course(None)


def test_while_the_wiring_is_wrong_nothing_else_is_treated() -> None:
    pilot = made_pilot()
    probed(pilot, LATER[:10], finding("miswired", "detached_loss"), finding("mode_collapse"))
    assert not any(e.actions for e in pilot.ledger)
    probed(pilot, LATER[10:14], finding("mode_collapse"))
    assert any(e.actions for e in pilot.ledger)


def test_a_restored_rate_stays_restored_though_nothing_recovers() -> None:
    pilot = made_pilot()
    probed(pilot, range(10, 80, EVERY))
    for step in range(80, 400, EVERY):
        for group in pilot.game.owners.by_player["g"].param_groups:
            group["lr"] = 1.0  # by the loop's own schedule
        probed(pilot, range(step, step + 1), finding(step=80))
    assert pilot.ledger[0].action == "roll back to step 40"
    assert pilot.ledger[0].outcome == "no recovery: the loop raises the rate again"
    assert "lr 1 → 0.01" in pilot.ledger[1].action
    assert pilot.game.rates["g"].rate() == pytest.approx(1.0)
    assert pilot.game.rates["g"].factor <= 0.01 * (1 + 1e-9)


def test_a_player_with_next_to_no_rate_is_lifted_though_the_doctor_waits() -> None:
    game = made_game()
    for group in game.owners.by_player["g"].param_groups:
        group["lr"] = 1e-6
    pilot = made_pilot(game)
    far = {"energy_distance": 0.8, "coverage": 0.1, "dispersion": 0.9}
    probed(pilot, range(10, 120, EVERY), signals=far)
    assert not pilot.ledger
    probed(pilot, range(120, 150, EVERY), signals=far)
    assert "generator lr 1e-06 → 0.0025" in pilot.ledger[0].action
    assert "10,000 times under" in pilot.ledger[0].cause


def test_a_small_rate_near_the_data_is_left_alone() -> None:
    game = made_game()
    for group in game.owners.by_player["g"].param_groups:
        group["lr"] = 1e-6
    pilot = made_pilot(game)
    probed(pilot, range(10, 300, EVERY))
    assert not pilot.ledger


def test_a_rate_that_was_lifted_is_not_taken_for_one_that_jumped() -> None:
    game = made_game()
    for group in game.owners.by_player["g"].param_groups:
        group["lr"] = 1e-6
    pilot = made_pilot(game)
    probed(pilot, range(10, 600, EVERY), finding("divergence", "generator_too_slow"))
    lifted = [e for e in pilot.ledger if "generator lr 1e-06" in e.action]
    assert len(lifted) == 1
    assert not pilot.history.is_raised


def test_weights_that_stand_still_because_a_treatment_skips_their_steps_are_not_miswired() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    seen = (Evidence("update_ratio_g", 0.0, "> 0", "G does not move"),)
    still = Finding("miswired", "critical", 65, seen, (Cause("skipped_steps", "a scaler"),))
    SkipSteps("g", 1 / 16).apply(pilot.game)
    probed(pilot, LATER[:3], still)
    assert list(pilot.ledger) == []
    SkipSteps("g", 1.0).apply(pilot.game)
    probed(pilot, LATER[3:6], still)
    assert [e.finding for e in pilot.ledger] == ["miswired"]


def test_what_few_data_leave_open_is_treated_again_only_where_samples_are_far() -> None:
    pilot = made_pilot()
    probed(pilot, HEALTHY)
    learnt = finding("discriminator_overfitting", "too_few_data")
    near = {"energy_distance": 0.05, "coverage": 0.7, "dispersion": 0.9}
    probed(pilot, LATER[:2], learnt, signals=near)
    assert len(pilot.ledger) == 1  # the first time it is
    probed(pilot, LATER[2:60], learnt, signals=near)
    assert [e.outcome for e in pilot.ledger] == ["recovered"]
    probed(pilot, LATER[60:62], learnt, signals=ILL)
    assert len(pilot.ledger) == 2


def test_in_front_of_a_cliff_no_state_is_kept_as_healthy() -> None:
    cliff = {"energy_distance": 0.4, "coverage": 0.1, "logit_real": 5e3, "logit_fake": -5e3}
    pilot = made_pilot()
    probed(pilot, range(EVERY, 81, EVERY), signals=cliff)
    assert {s.step for s in pilot.game.snapshots.snapshots} == {0}
    level = made_pilot()
    probed(level, range(EVERY, 81, EVERY), signals={**cliff, "logit_real": 5.0, "logit_fake": 0.0})
    assert {s.step for s in level.game.snapshots.snapshots} == {0, 40, 80}
