"""Ladders on a loop of ours: which of its own rungs a finding gets, and when they hold back."""

from typing import Any

import pytest
import torch
from remedies.own_games import own_host
from remedies.patients import EVERY, finding, made_game, made_pilot

from steadygan.doctor import Diagnosis
from steadygan.networks import WeightClip
from steadygan.objectives import Hinge, Minimax, NonSaturating, Wasserstein
from steadygan.penalties import R1, WGANGP
from steadygan.remedies import Action, ScaleLearningRate, TreatedGame
from steadygan.remedies.advice import advice
from steadygan.remedies.autopilot import Autopilot
from steadygan.remedies.ladders import BY_KIND, every_remedy, ladder
from steadygan.remedies.ledger import Ledger
from steadygan.remedies.own_ladders import (
    FIRST,
    LAST,
    every_remedy_of_all,
    own_ladder,
    why_not_here,
)
from steadygan.remedies.prescriptions import (
    AugmentGame,
    ChangeObjective,
    ChangePace,
    ChangeRule,
    Damp,
    Lighten,
    RestoreRate,
    Reweigh,
    SlowDown,
)
from steadygan.remedies.rates import rates_apart
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player
from steadygan.updates import Extragradient, Simultaneous

OWN = (AugmentGame, ChangeObjective, ChangePace, ChangeRule, Lighten, Reweigh)


def proposed(
    remedy: Remedy,
    game: TreatedGame,
    kind: str = "mode_collapse",
    *causes: str,
    is_image: bool = False,
) -> list[dict[str, Any]]:
    rates: dict[Player, float | None] = {"g": None, "d": None}
    actions = remedy.propose(Patient(finding(kind, *causes), game, rates, is_image))
    for action in actions:
        action.apply(game)
    return [told(action) for action in actions]


def told(action: Action) -> dict[str, Any]:
    return {k: v for k, v in action.to_json().items() if k not in ("before", "after")}


def test_a_foreign_loop_never_sees_them() -> None:
    assert not any(isinstance(remedy, OWN) for remedy in every_remedy())
    for kind in BY_KIND:
        assert not any(isinstance(remedy, OWN) for remedy in ladder(finding(kind)))
    game = made_game()
    for remedy in (
        ChangeObjective("relativistic", ("minimax",)),
        ChangePace(),
        ChangeRule(),
        Lighten(),
    ):
        assert proposed(remedy, game, "discriminator_underpowered", "penalty_too_heavy") == []


@pytest.mark.parametrize("kind", BY_KIND)
def test_ours_has_all_that_another_has_in_the_same_order(kind: str) -> None:
    ours = own_ladder(finding(kind))
    names = [type(rung).__name__ for rung in ladder(finding(kind))]
    names = [{"Damp": "Reweigh", "Augment": "AugmentGame"}.get(name, name) for name in names]
    assert [type(rung).__name__ for rung in ours if type(rung).__name__ in names] == names
    assert isinstance(ours[0], RestoreRate)
    assert set(ours) <= set(every_remedy_of_all())


def test_all_can_be_told_apart_by_repr_and_have_a_use() -> None:
    remedies = every_remedy_of_all()
    assert len({repr(r) for r in remedies}) == len(remedies)
    used = {r for table in (FIRST, LAST) for rungs in table.values() for r in rungs}
    assert used <= set(remedies)
    for table in (FIRST, LAST):
        for name, rungs in table.items():
            assert all(name in r.treats for r in rungs), name


def test_a_penalty_in_the_loss_instead_of_one_in_hooks() -> None:
    _, bare = own_host()
    (added,) = proposed(Reweigh(), bare)
    assert added == {
        "action": "ScalePenalty",
        "kind": "r1",
        "weight": 0.3,
        "every": 4,
        "relative": True,
    }
    (stronger,) = proposed(Reweigh(), bare)
    assert stronger["weight"] == pytest.approx(1.5)
    _, own = own_host(penalties=(R1(0.01),))
    assert [a["weight"] for a in proposed(Reweigh(), own)] == [pytest.approx(0.05)]
    _, other = own_host(penalties=(WGANGP(10.0),))
    assert [(a["kind"], a["weight"]) for a in proposed(Reweigh(both=True), other)] == [
        ("wgan_gp", 50.0)
    ]
    assert proposed(Reweigh(), bare, "discriminator_underpowered") == []
    assert [a["action"] for a in proposed(Damp(), made_game())] == ["AddPenalty"]
    assert [a["action"] for a in proposed(Reweigh(), made_game())] == ["AddPenalty"]


def test_where_the_loss_cannot_take_one_it_is_added_by_hooks() -> None:
    host, game = own_host()
    host.game.d.add_module("norm", torch.nn.BatchNorm1d(1))
    assert [a["action"] for a in proposed(Reweigh(), game)] == ["AddPenalty"]


def test_it_ends_at_thirty_times() -> None:
    _, game = own_host(penalties=(R1(0.01),))
    seen = [a["weight"] for _ in range(4) for a in proposed(Reweigh(), game)]
    assert seen == pytest.approx([0.05, 0.25, 0.3])


def test_a_heavy_penalty_is_taken_off_within_a_thirtieth_where_the_loop_is_ours() -> None:
    _, game = own_host(penalties=(R1(3.0),))
    heavy = finding("discriminator_underpowered", "penalty_too_heavy")
    assert why_not_here(heavy, game) is None
    assert "for a person" in str(why_not_here(heavy, made_game()))
    assert "for a person" in str(why_not_here(finding("miswired", "penalty_too_heavy"), game))
    assert own_ladder(heavy)[2] == Lighten()
    seen = [
        a["weight"]
        for remedy in (Lighten(), Lighten(5.0), Lighten())
        for a in proposed(remedy, game, "discriminator_underpowered", "penalty_too_heavy")
    ]
    assert seen == pytest.approx([0.5, 0.1])
    assert proposed(Lighten(), game, "discriminator_underpowered", "discriminator_too_slow") == []


def test_away_from_what_saturates_first_of_all() -> None:
    rungs = own_ladder(finding("vanishing_gradient", "saturating_loss"))
    _, game = own_host(objective=Minimax())
    assert proposed(rungs[2], game, "vanishing_gradient") == [
        {"action": "SwitchObjective", "name": "non_saturating", "options": {}}
    ]
    assert proposed(rungs[2], game, "vanishing_gradient") == []


def test_a_relativistic_objective_comes_with_r1() -> None:
    remedy = ChangeObjective("relativistic", ("hinge",))
    _, bare = own_host(objective=Hinge())
    assert [a["action"] for a in proposed(remedy, bare)] == ["SwitchObjective", "ScalePenalty"]
    _, damped = own_host(objective=Hinge(), penalties=(R1(0.1),))
    assert [a["action"] for a in proposed(remedy, damped)] == ["SwitchObjective"]
    _, other = own_host(objective=NonSaturating())
    assert proposed(remedy, other) == []


def test_a_bounded_critic_keeps_its_objective() -> None:
    remedy = ChangeObjective("non_saturating", ("wasserstein",))
    _, free = own_host(objective=Wasserstein())
    assert proposed(remedy, free)
    _, penalised = own_host(objective=Wasserstein(), penalties=(WGANGP(10.0),))
    assert proposed(remedy, penalised) == []
    host, clipped = own_host(objective=Wasserstein())
    host.game.constraints = (WeightClip(0.01),)
    assert proposed(remedy, clipped) == []


def test_the_pace_goes_to_eight_and_back_to_one_and_no_further() -> None:
    _, game = own_host(d_steps=2)
    assert proposed(ChangePace(), game) == [{"action": "SetDiscriminatorSteps", "num": 8}]
    assert proposed(ChangePace(), game) == []
    assert proposed(ChangePace(times=0.0), game) == [{"action": "SetDiscriminatorSteps", "num": 1}]
    assert proposed(ChangePace(times=0.0), game) == []
    _, both = own_host(rule=Simultaneous)
    assert proposed(ChangePace(), both) == []


def test_another_rule_from_plain_steps_and_not_against_momentum() -> None:
    _, game = own_host()
    assert proposed(ChangeRule(), game, "oscillation", "momentum") == []
    assert proposed(ChangeRule(), game, "oscillation") == [
        {"action": "SwitchRule", "name": "lookahead"}
    ]
    assert proposed(ChangeRule("extragradient"), game, "oscillation") == []
    _, ahead = own_host(rule=Extragradient)
    assert proposed(ChangeRule(), ahead, "oscillation") == []


def test_augmentation_of_images_inside_the_game() -> None:
    _, game = own_host(event=(1, 8, 8))
    remedy = AugmentGame()
    assert proposed(remedy, game, "memorization") == []
    (found,) = proposed(remedy, game, "memorization", is_image=True)
    assert (found["action"], found["probability"]) == ("SetAugmentation", 0.6)
    assert proposed(remedy, game, "memorization", is_image=True) == []


def test_an_autopilot_climbs_them_gives_advice_in_recipe_keys_and_goes_on_where_it_was() -> None:
    host, game = own_host(objective=Minimax())
    pilot = Autopilot(game, Ledger(), every=EVERY, prescribe=own_ladder)
    ill = finding("vanishing_gradient", "saturating_loss")
    signals = {"energy_distance": 0.9, "coverage": 0.1, "dispersion": 0.1}
    for step in range(EVERY, 40 * EVERY, EVERY):
        host.train()
        pilot.examine(step, Diagnosis(step, (ill,)), signals)
    tried = [a["action"] for e in pilot.ledger for a in e.actions]
    assert next(a for a in tried if a != "RollBack") == "SwitchObjective"
    assert "ScalePenalty" in tried
    assert pilot.ledger[0].outcome == "undone: no recovery"
    assert host.game.objective == Minimax()
    other = Autopilot(game, Ledger(), every=EVERY, prescribe=own_ladder)
    other.load_state_dict(pilot.state_dict())
    assert other.state_dict() == pilot.state_dict()


def test_advice_is_the_recipes_keys() -> None:
    _, game = own_host(event=(1, 8, 8), objective=Hinge(), penalties=(R1(0.01),))
    for remedy in (
        Reweigh(),
        ChangeObjective("relativistic", ("hinge",)),
        ChangePace(),
        ChangeRule(),
    ):
        assert proposed(remedy, game)
    text = advice(game, Ledger())
    for line in (
        "objective: relativistic",
        "update.rule: lookahead",
        "update.d_steps: 4",
        "penalties.r1: {weight: 0.05, every: 1, relative: false}",
    ):
        assert f"- {line}\n" in text + "\n"
    game.close()
    assert advice(game, Ledger()).startswith("Nothing to change")


def test_rates_too_far_apart_are_the_reason_it_gives() -> None:
    game = made_game(lr=1e-3)
    assert rates_apart(game) is None
    game.owners.by_player["d"].param_groups[0]["lr"] = 1e-6
    said = rates_apart(game)
    assert said is not None
    assert "the discriminator's learning rate is 1e-06, 1,000 times under the generator's" in said
    assert "set it to about 0.001" in said
    pilot = made_pilot(game, prescribe=lambda found: ())
    for step in (10, 20, 30):
        pilot.examine(step, Diagnosis(step, (finding("stagnation"),)), {"energy_distance": 1.0})
    assert str(pilot.reason).startswith(f"cannot be saved: stagnation; {said}")
    ScaleLearningRate("d", 2.0).apply(game)  # kept, and beside the point
    assert advice(game, pilot.ledger).splitlines()[1:] == [
        f"- {said}",
        "- stagnation: no remedy can be applied here",
    ]


def test_who_is_too_slow_is_not_slowed_down() -> None:
    both = SlowDown(("g", "d"))
    slowed = proposed(both, made_game(), "divergence", "discriminator_too_slow")
    assert [a["player"] for a in slowed] == ["g"]
    assert [a["player"] for a in proposed(both, made_game(), "divergence")] == ["g", "d"]


def test_rates_of_different_optimizers_are_not_compared() -> None:
    g, d = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    opt_g, opt_d = torch.optim.SGD(g.parameters(), 0.1), torch.optim.Adam(d.parameters(), 1e-5)
    assert rates_apart(TreatedGame(g, d, opt_g, opt_d)) is None
