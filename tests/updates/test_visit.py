"""Looking ahead leaves no trace: weights, moments, statistics and hooks, whatever happens on the way."""

import inspect
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from updates.toys import dirac

from steadygan import updates
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.game import Game
from steadygan.loss_scale import LossScale
from steadygan.networks import WeightClip, dcgan, mlp
from steadygan.objectives import NonSaturating, Wasserstein
from steadygan.types import Batch
from steadygan.updates import (
    Anchored,
    Competitive,
    Consensus,
    Extragradient,
    GameField,
    Implicit,
    Lookahead,
    NegativeMomentum,
    Optimistic,
    PastExtragradient,
    PlayerOptimizer,
    RungeKutta2,
    RungeKutta4,
    Simultaneous,
    SymplecticAdjustment,
    Unrolled,
    UpdateRule,
)

RULES = [
    member
    for name in updates.__all__
    if inspect.isclass(member := getattr(updates, name))
    and issubclass(member, UpdateRule)
    and not inspect.isabstract(member)
]
LOOKING_AHEAD = [Extragradient, PastExtragradient, RungeKutta2, RungeKutta4, Implicit]
TWICE = [Consensus, SymplecticAdjustment, Competitive, Unrolled]


def batches(num: int = 16) -> Iterator[Batch]:
    position = 0
    while True:
        generator = torch.Generator().manual_seed(position)
        yield Batch(
            torch.randn(num, 2, generator=generator), torch.randn(num, 4, generator=generator)
        )
        position += 1


def state_of(rule: UpdateRule) -> list[Tensor]:
    return [
        value.clone()
        for p in rule.players.values()
        for slots in p.optimizer.state.values()
        for value in slots.values()
        if isinstance(value, Tensor)
    ]


@pytest.mark.parametrize("rule", LOOKING_AHEAD, ids=lambda r: r.__name__)
def test_what_is_not_finite_ahead_moves_nothing(rule: type[UpdateRule]) -> None:
    """The gradient here is fine, the one a step ahead is not."""
    g, d = mlp(4, 2, width=8, depth=1)

    class Cliff(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.d = d
            self.first = [p.detach().clone() for p in d.parameters()]

        def forward(self, x: Tensor) -> Tensor:
            away = sum(
                (p - q).detach().abs().sum()
                for p, q in zip(d.parameters(), self.first, strict=True)
            )
            return self.d(x) * torch.where(torch.as_tensor(away) > 1e-2, float("nan"), 1.0)

    game = Game(g, Cliff(), NonSaturating())
    guarded = rule(
        torch.optim.Adam(g.parameters(), 1e-4, (0.5, 0.9)),
        torch.optim.Adam(d.parameters(), 1e-4, (0.5, 0.9)),
    )
    draws = batches()
    guarded.step(game, lambda: next(draws), 1)
    weights = [p.detach().clone() for p in game.parameters("g") + game.parameters("d")]
    moments = state_of(guarded)
    memory = guarded.memory
    for player in guarded.players.values():
        player.optimizer.param_groups[0]["lr"] = 1.0
    with pytest.raises(NonFiniteError, match="step 2"):
        guarded.step(game, lambda: next(draws), 2)
    after = [p.detach() for p in game.parameters("g") + game.parameters("d")]
    assert all(torch.equal(a, b) for a, b in zip(weights, after, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(moments, state_of(guarded), strict=True))
    assert guarded.memory is memory


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_statistics_move_as_in_a_step_without_looking_ahead(rule: type[UpdateRule]) -> None:
    """Batch norm counts one pass of G a player at most, spectral norm's vectors stay unit vectors."""
    g, d = mlp(4, 2, width=8, depth=2, g_norm="batch", d_norm="spectral")
    game = Game(g, d, NonSaturating())
    made = rule(torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 0.1))
    draws = batches()
    for step in range(1, 4):
        made.step(game, lambda: next(draws), step)
    counts = {int(b) for name, b in g.named_buffers() if name.endswith("num_batches_tracked")}
    alternates = isinstance(made, updates.Alternating)
    assert counts == {6 if alternates else 3}
    for name, buffer in d.named_buffers():
        assert bool(torch.isfinite(buffer).all()), name
        if name.endswith(("_u", "_v")):
            assert float(buffer.norm()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_hooks_see_the_steps_that_stay(rule: type[UpdateRule]) -> None:
    game, batch = dirac()
    optimizers = [torch.optim.SGD(n.parameters(), 0.1) for n in (game.g, game.d)]
    calls = [0, 0]
    for i, optimizer in enumerate(optimizers):

        def count(*_: object, i: int = i) -> None:
            calls[i] += 1

        optimizer.register_step_post_hook(count)
    made = rule(*optimizers)
    for step in range(1, 4):
        made.step(game, lambda: batch, step)
    assert calls == [3, 3]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_constraints_hold_after_every_step_and_at_every_point_visited(
    rule: type[UpdateRule],
) -> None:
    g, d = mlp(4, 2, width=8, depth=1)
    largest = []
    game = Game(g, d, Wasserstein(), constraints=[WeightClip(0.02)])
    game.constrain()
    watched = d.forward

    def forward(x: Tensor) -> Tensor:
        largest.append(max(float(p.detach().abs().max()) for p in d.parameters()))
        return watched(x)

    d.forward = forward
    made = rule(torch.optim.SGD(g.parameters(), 0.5), torch.optim.SGD(d.parameters(), 0.5))
    draws = batches()
    for step in range(1, 8):
        made.step(game, lambda: next(draws), step)
        assert max(float(p.detach().abs().max()) for p in d.parameters()) <= 0.02 + 1e-9
    if not isinstance(made, Unrolled | Implicit):
        assert max(largest) <= 0.02 + 1e-9


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_schedule_and_clipping_are_those_of_the_players(rule: type[UpdateRule]) -> None:
    """Half way through warm-up the rate is a half, and a clipped step is short."""
    game, batch = dirac()
    players = [
        PlayerOptimizer(
            torch.optim.SGD(n.parameters(), 1.0),
            schedule=updates.Constant(10, warmup=10),
            clip_norm=1e-3,
        )
        for n in (game.g, game.d)
    ]
    made = rule(*players)
    start = GameField(game, batch).point
    info = made.step(game, lambda: batch, 5)
    moved = GameField(game, batch).point - start
    assert info.signals["lr_g"] == info.signals["lr_d"] == 0.5
    for vector in (moved.g, moved.d):
        assert 0 < float(vector.norm()) <= 0.5e-3 * (1 + 1e-6)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_loss_scales_are_honoured_or_refused_in_one_line(rule: type[UpdateRule]) -> None:
    def made(scale: float | None) -> tuple[Game, UpdateRule]:
        torch.manual_seed(5)
        g, d = mlp(4, 2, width=8, depth=1)
        scales = {"g": LossScale(scale), "d": LossScale(scale)} if scale else None
        game = Game(g, d, NonSaturating(), loss_scale=scales)
        return game, rule(
            torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 0.1)
        )

    scaled, with_scale = made(2.0**10)
    if rule in TWICE:
        with pytest.raises(ConfigError, match="precision float32") as caught:
            with_scale.step(scaled, lambda: next(batches()), 1)
        assert "\n" not in str(caught.value)
        return
    plain, without = made(None)
    for step in range(1, 4):
        with_scale.step(scaled, lambda: next(batches()), step)
        without.step(plain, lambda: next(batches()), step)
    for a, b in zip(scaled.g.parameters(), plain.g.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    # An infinite gradient under a scale that can be cut voids the step: nothing moves, memory included.
    memory = with_scale.memory
    weights = [p.detach().clone() for p in scaled.parameters("g") + scaled.parameters("d")]
    scaled.loss_scale["g"].scale = scaled.loss_scale["d"].scale = float(2.0**127) * 1.9
    with_scale.step(scaled, lambda: next(batches()), 3)
    after = scaled.parameters("g") + scaled.parameters("d")
    moved = not all(torch.equal(a, b) for a, b in zip(weights, after, strict=True))
    if not moved and memory is not None and rule is not Lookahead:
        assert all(torch.equal(a, b) for a, b in zip(memory, with_scale.memory, strict=True))
    assert all(bool(torch.isfinite(p).all()) for p in after)


@pytest.mark.parametrize("rule", TWICE, ids=lambda r: r.__name__)
def test_games_that_cannot_be_differentiated_twice_are_refused(rule: type[UpdateRule]) -> None:
    g, d = mlp(4, 2, width=8, depth=1)
    optimizers = [torch.optim.SGD(n.parameters(), 0.1) for n in (g, d)]
    several = Game(g, d, NonSaturating(), reduce=lambda tensors: None)
    with pytest.raises(ConfigError, match="one process"):
        rule(*optimizers).step(several, lambda: next(batches()), 1)
    g.compile(backend="eager")
    with pytest.raises(ConfigError, match="g is compiled"):
        rule(*optimizers).step(Game(g, d, NonSaturating()), lambda: next(batches()), 1)


def test_regularised_runge_kutta_differentiates_twice_and_says_so() -> None:
    g, d = mlp(4, 2, width=8, depth=1)
    game = Game(g, d, NonSaturating(), reduce=lambda tensors: None)
    optimizers = [torch.optim.SGD(n.parameters(), 0.1) for n in (g, d)]
    RungeKutta2(*optimizers).step(game, lambda: next(batches()), 1)
    with pytest.raises(ConfigError, match="RungeKutta2 differentiates"):
        RungeKutta2(*optimizers, weight=0.1).step(game, lambda: next(batches()), 1)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_convolutions_and_channels_last(rule: type[UpdateRule]) -> None:
    """Flat vectors come back in every weight's own layout."""
    ends = []
    for channels_last in (False, True):
        torch.manual_seed(5)
        pair = dcgan(4, 16, 1, width=2)
        if channels_last:
            pair = [n.to(memory_format=torch.channels_last) for n in pair]
        g, d = pair
        fused = [torch.optim.Adam(n.parameters(), 1e-4, fused=True) for n in (g, d)]
        if rule is NegativeMomentum:
            fused = [torch.optim.SGD(n.parameters(), 1e-3, fused=True) for n in (g, d)]
        made = rule(*fused)
        game = Game(g, d, NonSaturating())
        for step in range(1, 4):
            generator = torch.Generator().manual_seed(step)
            batch = Batch(
                torch.randn(4, 1, 16, 16, generator=generator),
                torch.randn(4, 4, generator=generator),
            )
            made.step(game, lambda batch=batch: batch, step)
        ends.append([p.detach().clone() for n in (g, d) for p in n.parameters()])
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=5e-4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Consensus.on_paper(weight=-1.0), "Consensus.weight must be >= 0"),
        (lambda: SymplecticAdjustment.on_paper(weight=-1.0), "weight must be >= 0"),
        (lambda: Optimistic.on_paper(weight=float("inf")), "weight must be >= 0 and finite"),
        (lambda: RungeKutta4.on_paper(weight=-0.1), "RungeKutta4.weight must be >= 0"),
        (lambda: Lookahead.on_paper(every=0), "every must be >= 1"),
        (lambda: Lookahead.on_paper(weight=0.0), "weight must be in"),
        (lambda: NegativeMomentum.on_paper(momentum=-1.0), "between -1 and 1"),
        (lambda: Unrolled.on_paper(steps=0), "steps must be >= 1"),
        (lambda: Unrolled.on_paper(rate=0.0), "rate must be > 0"),
        (lambda: Implicit.on_paper(iterations=1), "iterations must be >= 2"),
        (lambda: Implicit.on_paper(tolerance=1.0), "tolerance must be in"),
        (lambda: Competitive.on_paper(iterations=0), "iterations must be >= 1"),
        (lambda: Competitive.on_paper(tolerance=2.0), "tolerance must be in"),
        (lambda: Anchored.on_paper(weight=-1.0), "weight must be >= 0"),
        (lambda: Anchored.on_paper(decay=1.5), "decay must be in"),
    ],
)
def test_options_out_of_range(make: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()


def test_negative_momentum_refuses_a_second_momentum() -> None:
    g, d = mlp(4, 2, width=8, depth=1)
    plain = torch.optim.SGD(g.parameters(), 0.1)
    for other in (
        torch.optim.SGD(d.parameters(), 0.1, momentum=0.9),
        torch.optim.Adam(d.parameters()),
    ):
        with pytest.raises(ConfigError, match=r"without momentum, got 0\.9 in d"):
            NegativeMomentum(plain, other)


def test_fresh_batches_are_drawn_when_asked_for() -> None:
    game, batch = dirac()
    optimizers = [torch.optim.SGD(n.parameters(), 0.1) for n in (game.g, game.d)]
    drawn = 0

    def draw() -> Batch:
        nonlocal drawn
        drawn += 1
        return batch

    Extragradient(*optimizers).step(game, draw, 1)
    assert drawn == 1
    Extragradient(*optimizers, share_batch=False).step(game, draw, 1)
    assert drawn == 3


def test_optimistic_without_weight_is_simultaneous_and_costs_what_it_says() -> None:
    ends = []
    for make in (Simultaneous, lambda g, d: Optimistic(g, d, weight=0.0)):
        game, batch = dirac()
        made = make(*[torch.optim.SGD(n.parameters(), 0.1) for n in (game.g, game.d)])
        for step in range(1, 5):
            made.step(game, lambda batch=batch: batch, step)
        ends.append(GameField(game, batch).point.vector)
    torch.testing.assert_close(*ends)


@pytest.mark.parametrize("rule", [r for r in RULES if r not in TWICE], ids=lambda r: r.__name__)
def test_declared_cost_is_the_number_of_gradients(rule: type[UpdateRule]) -> None:
    game, batch = dirac()
    made = rule(*[torch.optim.SGD(n.parameters(), 0.1) for n in (game.g, game.d)])
    count = 0
    both, one = game.gradients, game.gradient

    def gradients(*args: object, **options: object) -> object:
        nonlocal count
        count += 2
        return both(*args, **options)

    def gradient(*args: object, **options: object) -> object:
        nonlocal count
        count += 1
        return one(*args, **options)

    game.gradients, game.gradient = gradients, gradient
    made.step(game, lambda: batch, 1)
    first, count = count, 0
    made.step(game, lambda: batch, 2)
    assert count <= made.gradients_per_step
    assert first <= made.gradients_per_step
    if rule is not Implicit:
        assert count == made.gradients_per_step
