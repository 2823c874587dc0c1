"""The game's gradients against independent autograd, and what it refuses."""

import pytest
import torch
from torch import Tensor, nn

from steadygan.errors import ConfigError, ContractError
from steadygan.game import Game
from steadygan.loss_scale import LossScale
from steadygan.networks import WeightClip, mlp
from steadygan.objectives import (
    Hinge,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)
from steadygan.penalties import R1, R2, WGANGP, Penalty
from steadygan.types import Batch

OBJECTIVES = [NonSaturating(), Hinge(), Wasserstein(), Relativistic(), RelativisticAverage()]


def make(objective: Objective, *penalties: Penalty, **options: object) -> tuple[Game, Batch]:
    torch.manual_seed(3)
    g, d = (network.double() for network in mlp(4, 2, width=16, depth=2))
    batch = Batch(torch.randn(8, 2).double(), torch.randn(8, 4).double())
    return Game(g, d, objective, penalties, **options), batch


def plain(game: Game, batch: Batch, player: str) -> list[Tensor]:
    """Both losses written out by hand, two passes of D, ``backward``."""
    for network in (game.g, game.d):
        network.zero_grad()
    x = batch.x.clone().requires_grad_()
    fake = game.g(batch.z)
    if player == "d":
        fake = fake.detach().requires_grad_()
    real_logits, fake_logits = game.d(x), game.d(fake)
    if player == "d":
        loss = game.objective.d_loss(real_logits, fake_logits).mean()
        for penalty in game.penalties:
            at, logits = (x, real_logits) if isinstance(penalty, R1) else (fake, fake_logits)
            (slope,) = torch.autograd.grad(logits.sum(), at, create_graph=True)
            loss = loss + penalty.weight * 0.5 * slope.square().sum(1).mean()
    else:
        loss = game.objective.g_loss(fake_logits, real_logits.detach()).mean()
    loss.backward()
    network = game.g if player == "g" else game.d
    return [p.grad for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize("concatenate", [True, False])
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("player", ["g", "d"])
@pytest.mark.parametrize("penalties", [(), (R1(0.3),), (R1(0.3), R2(0.7))], ids=len)
def test_gradient_is_that_of_the_plain_loop(
    objective: Objective, player: str, penalties: tuple[Penalty, ...], concatenate: bool
) -> None:
    game, batch = make(objective, *penalties, concatenate=concatenate)
    ours = game.gradient(player, batch, 1)
    for a, b in zip(ours.grads, plain(game, batch, player), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    total = torch.cat([g.flatten() for g in ours.grads if g is not None])
    torch.testing.assert_close(ours.norm, total.norm())
    assert bool(ours.finite)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
def test_one_pass_for_both_players_is_two_gradients(objective: Objective) -> None:
    game, batch = make(objective, R1(0.3), R2(0.3))
    together = game.gradients(batch, 1)
    field = game.field(batch, 1)
    for player, both, at_once in zip("gd", together, (field.g, field.d), strict=True):
        alone = game.gradient(player, batch, 1)
        for a, b, c in zip(alone.grads, both.grads, at_once, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
            torch.testing.assert_close(a, c, rtol=1e-9, atol=1e-12)


def test_field_keeps_the_mixed_derivatives() -> None:
    """On a bilinear game the derivative of D's gradient in G's parameter is exactly −1."""

    class Shift(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.theta = nn.Parameter(torch.tensor([0.5], dtype=torch.float64))

        def forward(self, z: Tensor) -> Tensor:
            return z * 0 + self.theta

    class Slope(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.psi = nn.Parameter(torch.tensor([0.25], dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            return (x * self.psi).squeeze(1)

    g, d = Shift(), Slope()
    game = Game(g, d, Wasserstein())
    batch = Batch(torch.zeros(4, 1).double(), torch.zeros(4, 1).double())
    field = game.field(batch, 1, create_graph=True)
    torch.testing.assert_close(field.g[0], -d.psi)
    torch.testing.assert_close(field.d[0], g.theta)
    (mixed,) = torch.autograd.grad(field.d[0].sum(), g.theta)
    assert float(mixed) == 1.0


def test_lazy_penalty_keeps_its_mean_strength() -> None:
    game, batch = make(Hinge(), R1(0.5, every=4))
    bare, _ = make(Hinge())
    without = torch.cat([g.flatten() for g in bare.gradient("d", batch, 1).grads])
    due = torch.cat([g.flatten() for g in game.gradient("d", batch, 4).grads])
    off = torch.cat([g.flatten() for g in game.gradient("d", batch, 3).grads])
    always, _ = make(Hinge(), R1(0.5))
    on = torch.cat([g.flatten() for g in always.gradient("d", batch, 1).grads])
    torch.testing.assert_close(off, without)
    torch.testing.assert_close(due - without, 4 * (on - without))
    assert "r1" in game.gradient("d", batch, 4).terms
    assert "r1" not in game.gradient("d", batch, 3).terms


def test_the_generators_step_leaves_d_alone_and_the_other_way_round() -> None:
    game, batch = make(NonSaturating(), R1(1.0))
    game.gradient("g", batch, 1)
    game.gradient("d", batch, 1)
    assert all(p.grad is None for n in (game.g, game.d) for p in n.parameters())


def test_penalties_stay_in_float32_under_autocast() -> None:
    seen = []

    class Spy(WGANGP):
        def __call__(self, critic, real, fake):
            logits = critic(real.x)
            seen.append((logits.dtype, torch.is_autocast_enabled("cpu")))
            return super().__call__(critic, real, fake)

    g, d = mlp(4, 2, width=16, depth=2)
    game = Game(
        g, d, Hinge(), [Spy(), R1(0.1)], autocast=lambda: torch.autocast("cpu", torch.bfloat16)
    )
    batch = Batch(torch.randn(8, 2), torch.randn(8, 4))
    gradient = game.gradient("d", batch, 1)
    assert seen == [(torch.float32, False)]
    assert bool(gradient.finite)
    assert gradient.terms["loss_d"].dtype == torch.float32


def test_loss_scale_cancels() -> None:
    plainly, batch = make(Hinge())
    scaled, _ = make(Hinge(), loss_scale={"d": LossScale(1024.0)})
    for a, b in zip(
        plainly.gradient("d", batch, 1).grads, scaled.gradient("d", batch, 1).grads, strict=True
    ):
        torch.testing.assert_close(a, b)


def test_constraint_holds_after_constrain() -> None:
    game, _ = make(Wasserstein(), constraints=[WeightClip(0.01)])
    game.constrain()
    assert max(float(p.detach().abs().max()) for p in game.d.parameters()) <= 0.01


class Column(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


def test_column_logits_are_refused_at_the_door() -> None:
    g, _ = mlp(4, 2, width=8)
    game = Game(g, Column(), Hinge())
    with pytest.raises(ContractError, match=r"shape \(8,\), one per sample, got \(8, 1\)"):
        game.gradient("d", Batch(torch.randn(8, 2), torch.randn(8, 4)), 1)


def test_samples_of_another_shape_are_refused() -> None:
    g, _ = mlp(4, 3, width=8)
    _, d = mlp(4, 2, width=8)
    with pytest.raises(ContractError, match=r"data's shape \(2,\), got \(3,\)"):
        Game(g, d, Hinge()).gradient("d", Batch(torch.randn(8, 2), torch.randn(8, 4)), 1)


def test_batch_norm_under_a_penalty_is_refused() -> None:
    g, d = mlp(4, 2, width=8, d_norm="batch")
    with pytest.raises(ConfigError, match=r"R1 is computed per sample, but D has batch norm"):
        Game(g, d, Hinge(), [R1(1.0)])
    Game(g, d, Hinge(), [R1(0.0)])


def test_a_detached_generator_is_named() -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, z: Tensor) -> Tensor:
            return self.layer(z).detach()

    _, d = mlp(4, 2, width=8)
    with pytest.raises(ContractError, match=r"detach\(\)"):
        Game(Detached(), d, Hinge()).gradient("g", Batch(torch.randn(8, 2), torch.randn(8, 4)), 1)
