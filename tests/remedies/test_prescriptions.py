"""What each remedy would change, and where it would not."""

import pytest
import torch
from remedies.patients import finding, made_game
from torch import nn

from steadygan.remedies import Action, ScaleLearningRate, TreatedGame
from steadygan.remedies.prescriptions import Balance, Calm, Damp, Level, Regime, SlowDown, SpeedUp
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.types import Player


def patient(game: TreatedGame, kind: str = "mode_collapse", *causes: str) -> Patient:
    return Patient(finding(kind, *causes), game, {"g": None, "d": None}, is_image=False)


def rates(remedy: Remedy, game: TreatedGame) -> dict[Player, float]:
    """The factors that it proposes."""
    proposed = remedy.propose(patient(game))
    return {a.player: a.factor for a in proposed if isinstance(a, ScaleLearningRate)}


def game_with(lr_g: float, lr_d: float) -> TreatedGame:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    opt_g, opt_d = torch.optim.Adam(g.parameters(), lr_g), torch.optim.Adam(d.parameters(), lr_d)
    return TreatedGame(g, d, opt_g, opt_d, real=torch.randn(64, 2), latent=torch.randn(64, 4))


def test_a_player_that_stands_still_gets_the_rate_of_the_other_and_limits_count_from_there() -> (
    None
):
    game = game_with(1e-6, 1e-3)
    assert rates(Level(), game) == {"g": pytest.approx(250.0)}
    Level().propose(patient(game))[0].apply(game)
    assert rates(Level(), game) == {}
    assert rates(SlowDown(("g",)), game) == {"g": pytest.approx(62.5)}
    assert rates(SpeedUp("g"), game) == {"g": pytest.approx(500.0)}


@pytest.mark.parametrize(("lr_g", "lr_d"), [(1e-4, 4e-4), (2e-5, 1e-3), (0.0, 1e-3)])
def test_two_time_scales_and_a_rate_of_nothing_are_left_alone(lr_g: float, lr_d: float) -> None:
    assert rates(Level(), game_with(lr_g, lr_d)) == {}


@pytest.mark.parametrize(
    ("lr_g", "lr_d", "expected"),
    [
        (1e-3, 2e-5, {"d": 2.0, "g": 1 / 16}),  # 50 times apart: as near as limits let them
        (1e-3, 1e-4, {"d": 2.0, "g": 0.2}),
        (3e-3, 1e-3, {"d": 2.0, "g": 2 / 3}),
        (2e-3, 1e-3, {}),
        (1e-3, 1e-1, {"g": 2.0, "d": 0.08}),
        (1e-3, 4e-3, {}),
        (1e-3, 1e-3, {}),
        (0.0, 1e-3, {}),
    ],
)
def test_rates_are_balanced_from_both_sides(
    lr_g: float, lr_d: float, expected: dict[Player, float]
) -> None:
    game = game_with(lr_g, lr_d)
    assert rates(Balance(), game) == pytest.approx(expected)
    for action in Balance().propose(patient(game)):
        action.apply(game)
    if min(expected.values(), default=1.0) > 1 / 16:
        assert rates(Balance(), game) == {}


def test_levelling_what_has_been_slowed_down_on_purpose_is_not_proposed() -> None:
    """A sixteenth of a fiftieth of the other's is a hundredth; but the loop's own rate was not that far."""
    game = game_with(2e-5, 1e-3)
    ScaleLearningRate("g", 1 / 16).apply(game)
    assert rates(Level(), game) == {}


def test_the_regime_is_penalty_rates_and_momentum_and_then_more_of_it_up_to_the_limits() -> None:
    game = made_game()
    seen: list[tuple[Action, ...]] = []
    while changes := Regime().propose(patient(game)):
        seen.append(changes)
        for change in changes:
            change.apply(game)
    first = {type(a).__name__ for a in seen[0]}
    assert first == {"AddPenalty", "ScaleLearningRate", "LimitMomentum"}
    assert game.rates["g"].factor == game.rates["d"].factor == 1 / 16
    assert game.penalty.weight("R1") == pytest.approx(30 * 0.3)


def test_no_penalty_where_d_is_flat_already() -> None:
    game = made_game()
    assert Regime().propose(patient(game, "divergence", "penalty_too_heavy")) == ()
    assert Damp().propose(patient(game, "discriminator_underpowered")) == ()
    assert Regime().propose(patient(game, "discriminator_underpowered")) != ()


def moved(game: TreatedGame) -> float:
    """How far G's bias goes on gradients of nothing, after gradients of 1."""
    bias = game.networks["g"].bias
    assert isinstance(bias, torch.Tensor)
    for grad in (1.0, 0.0):
        before = bias.detach().clone()
        for p in game.networks["g"].parameters():
            p.grad = torch.full_like(p, grad)
        game.owners.by_player["g"].step()
    return float((bias.detach() - before).abs().max())


def test_without_momentum_a_gradient_of_nothing_moves_nothing() -> None:
    for make in (
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        lambda p: torch.optim.Adam(p, 0.1, betas=(0.9, 0.999)),
    ):
        g, d = nn.Linear(4, 2), nn.Linear(2, 1)
        opt_g, opt_d = make(g.parameters()), make(d.parameters())
        game = TreatedGame(g, d, opt_g, opt_d, real=torch.randn(64, 2), latent=torch.randn(64, 4))
        changes = Calm().propose(patient(game))
        assert changes[0].on(game).describe() == "generator momentum 0.9 → 0"
        undo = [a.apply(game) for a in changes]
        settings = dict(opt_g.param_groups[0])
        assert moved(game) == 0
        assert Calm().propose(patient(game)) == ()
        assert opt_g.param_groups[0] == settings  # the loop's own, after each step
        for action in undo:
            action.apply(game)
        assert moved(game) > 0.01


def test_little_momentum_is_usual() -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    opt_g, opt_d = (
        torch.optim.Adam(g.parameters(), 1e-3, betas=(0.5, 0.9)),
        torch.optim.SGD(d.parameters(), 0.1),
    )
    game = TreatedGame(g, d, opt_g, opt_d, real=torch.randn(64, 2), latent=torch.randn(64, 4))
    assert Calm().propose(patient(game)) == ()
