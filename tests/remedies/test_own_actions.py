"""Actions that only a loop of ours has a hold for: limits, effect, undoing, JSON, state."""

import copy
import json
from typing import Any

import pytest
import torch
from remedies.own_games import own_host, same, weights
from remedies.patients import made_game

from steadygan.errors import ActionError
from steadygan.objectives import LeastSquares, Minimax, NonSaturating, Relativistic
from steadygan.penalties import R1, R2, WGANGP
from steadygan.remedies import (
    Action,
    ScaleLearningRate,
    ScalePenalty,
    SetAugmentation,
    SetDiscriminatorSteps,
    SwitchObjective,
    SwitchRule,
    action_from_json,
)
from steadygan.updates import Extragradient, Lookahead, Optimistic, PlayerOptimizer, Simultaneous

IMAGE = (1, 8, 8)
ALL: list[tuple[Action, dict[str, Any]]] = [
    (ScalePenalty("r1", 0.3), {}),
    (ScalePenalty("r1", 0.5), {"penalties": (R1(0.1, every=2), R2(0.1))}),
    (ScalePenalty("wgan_gp", 2.0), {"penalties": (WGANGP(10.0),)}),
    (ScalePenalty("r2", 0.0), {"penalties": (R1(0.1), R2(0.1))}),
    (SetDiscriminatorSteps(4), {}),
    (SetAugmentation(0.6, ("crop", "flip")), {"event": IMAGE}),
    (SwitchObjective("relativistic"), {"objective": Minimax()}),
    (SwitchObjective("least_squares", {"g_target": 0.5}), {}),
    (SwitchRule("lookahead"), {"d_steps": 2}),
    (SwitchRule("extragradient"), {}),
    (SwitchRule("alternating"), {"rule": Optimistic}),
]


def test_every_kind_is_here() -> None:
    kinds = {ScalePenalty, SetAugmentation, SetDiscriminatorSteps, SwitchObjective, SwitchRule}
    assert {type(action) for action, _ in ALL} == kinds


@pytest.mark.parametrize(("action", "settings"), ALL)
def test_an_action_changes_the_training_and_its_undo_takes_it_back_to_the_bit(
    action: Action, settings: dict[str, Any]
) -> None:
    def course(*, treated: bool, undone: bool) -> list[torch.Tensor]:
        host, game = own_host(**settings)
        if treated:
            read = action.on(game)
            assert read.before == action.reading(game) != read.after
            undo = read.apply(game)
            assert action.reading(game) == read.after
            assert (undo.before, undo.after) == (read.after, read.before)
            assert action_from_json(json.loads(json.dumps(undo.to_json()))) == undo
            if undone:
                undo.apply(game)
                assert action.reading(game) == read.before
        host.train(6)
        return weights(host)

    plain = course(treated=False, undone=False)
    assert same(course(treated=True, undone=True), plain)
    assert not same(course(treated=True, undone=False), plain)


@pytest.mark.parametrize(("action", "settings"), ALL)
def test_saved_in_the_middle_it_goes_on_with_the_same_bits(
    action: Action, settings: dict[str, Any]
) -> None:
    host, game = own_host(**settings)
    action.apply(game)
    host.train(7)
    state = json.loads(json.dumps(game.state_dict()["own_penalties"]))
    saved = {
        "knobs": game.state_dict() | {"own_penalties": state},
        "rule": copy.deepcopy(host.rule.state_dict()),  # its tensors are the live ones
        "weights": weights(host),
    }
    other, again = own_host(**settings)
    for p, w in zip(
        (*other.game.g.parameters(), *other.game.d.parameters()), saved["weights"], strict=True
    ):
        p.detach().copy_(w)
    other.rule.load_state_dict(saved["rule"])
    again.load_state_dict(saved["knobs"])
    other.step = host.step
    host.train(6)
    other.train(6)
    assert same(weights(host), weights(other))


@pytest.mark.parametrize(("action", "settings"), ALL)
def test_on_a_foreign_loop_it_is_refused(action: Action, settings: dict[str, Any]) -> None:
    game = made_game()
    with pytest.raises(ActionError, match="needs a loop of steadygan's own"):
        action.apply(game)
    assert not any(name.startswith("own_") for name in game.state_dict())


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (ScalePenalty("r1", 3.1), "within 30 times"),
        (ScalePenalty("r1", 0.1 / 31), "within 30 times"),
        (ScalePenalty("r1", -0.1), "within 30 times"),
        (ScalePenalty("wgan_gp", 1.0), "one of r1, r2"),
        (SetDiscriminatorSteps(9), "within 1 to 8"),
        (SetDiscriminatorSteps(0), "within 1 to 8"),
        (SetAugmentation(0.81), "within 0 to 0.8"),
        (SetAugmentation(0.5), "needs images"),
        (SetAugmentation(0.5, ("mirror",)), "some of flip, crop"),
        (SwitchObjective("relativ"), "relativistic"),
        (SwitchObjective("hinge", {"target": 1}), "objective hinge"),
        (SwitchRule("consensus"), "update rule"),
    ],
)
def test_limits_are_checked_before_anything_changes(action: Action, words: str) -> None:
    host, game = own_host(penalties=(R1(0.1),))
    before = game.state_dict()
    with pytest.raises(ActionError, match=words):
        action.apply(game)
    assert game.state_dict() == before
    assert host.game.penalties == (R1(0.1),)


def test_thirty_times_is_within() -> None:
    _, game = own_host(penalties=(R1(0.1),))
    for weight in (0.1 * 30, 0.1 / 30, 0.0):
        ScalePenalty("r1", weight).apply(game)


def test_a_penalty_for_which_d_is_not_made_is_refused() -> None:
    host, game = own_host()
    host.game.d.add_module("norm", torch.nn.BatchNorm1d(1))
    with pytest.raises(ActionError, match="batch normalisation"):
        ScalePenalty("r1", 0.3).apply(game)
    assert host.game.penalties == ()


def test_an_added_penalty_is_on_record_and_a_weight_of_nothing_takes_the_term_away() -> None:
    host, game = own_host()
    undo = ScalePenalty("r1", 0.3, every=1).apply(game)
    assert "r1" in host.train()[0]
    undo.apply(game)
    assert "r1" not in host.train()[0]


def test_d_steps_draw_a_batch_each_and_need_a_rule_that_alternates() -> None:
    host, game = own_host()
    SetDiscriminatorSteps(3).apply(game)
    host.train(2)
    (state, *_) = host.rule.players["d"].optimizer.state.values()
    assert int(state["step"]) == 6
    _, both = own_host(rule=Simultaneous)
    with pytest.raises(ActionError, match="alternating"):
        SetDiscriminatorSteps(2).apply(both)


def test_a_switched_objective_is_the_objective_with_its_options() -> None:
    host, game = own_host(objective=LeastSquares(g_target=0.7))
    undo = SwitchObjective("relativistic").apply(game)
    assert host.game.objective == Relativistic()
    undo.apply(game)
    assert host.game.objective == LeastSquares(g_target=0.7)
    SwitchObjective("non_saturating").apply(game)
    assert host.game.objective == NonSaturating()
    game.close()
    assert host.game.objective == LeastSquares(g_target=0.7)


def test_a_switched_rule_keeps_optimizers_and_d_steps_and_begins_without_memory() -> None:
    host, game = own_host(d_steps=2)
    first = host.rule
    undo = SwitchRule("lookahead").apply(game)
    assert isinstance(host.rule, Lookahead)
    assert host.rule.d_steps == 2
    assert host.rule.players["g"] is first.players["g"]
    host.train(3)
    assert host.rule.memory is not None
    undo.apply(game)
    assert host.rule is first
    assert first.memory is None


def test_a_switched_rule_answers_for_the_last_step() -> None:
    host, game = own_host()
    host.train()
    last = host.rule._last
    SwitchRule("extragradient").apply(game)
    assert host.rule._last is last is not None


def test_looking_ahead_is_at_the_rate_of_the_step() -> None:
    """A quarter of the rate under treatment is a quarter of the rate in the optimizer."""

    def course(lr: float, *, treated: bool) -> list[torch.Tensor]:
        host, game = own_host(rule=Extragradient, lr=lr)
        if treated:
            for player in ("g", "d"):
                ScaleLearningRate(player, 0.25).apply(game)
        host.train(5)
        assert host.rule.players["g"].rate == lr
        return weights(host)

    assert same(course(0.01, treated=True), course(0.0025, treated=False))


def test_augmentation_reaches_every_look_at_d_on_both_sides() -> None:
    host, game = own_host(event=IMAGE, objective=Relativistic(), penalties=(R1(0.1),))
    seen: list[tuple[int, ...]] = []
    SetAugmentation(0.8, ("flip",)).apply(game)
    change = host.game.augment
    assert change is not None

    def counted(x: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(x.shape))
        return change(x)

    host.game.augment = counted
    calls = []
    host.game.d.register_forward_pre_hook(lambda d, args: calls.append(args[0].shape))
    host.train()
    assert len(seen) == len(calls) == 4  # D on both sides; in G's step on both again


def test_a_player_optimizers_preview_leaves_the_rate_alone() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    player = PlayerOptimizer(torch.optim.SGD([weight], lr=0.5))
    player.ahead = 0.5
    player.preview([weight], [torch.ones(3)])
    assert weight.tolist() == [0.75] * 3
    assert player.rate == 0.5
