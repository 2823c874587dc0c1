"""Every update rule with every optimizer: resumes exactly, stops before a non-finite step, refuses nonsense."""

import copy
import inspect
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from steadygan import updates
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.game import Game
from steadygan.networks import WeightClip, dcgan, mlp
from steadygan.objectives import Relativistic
from steadygan.penalties import R1, WGANGP
from steadygan.recipes import optimizers
from steadygan.record.serial import read_state, write_state
from steadygan.types import Batch
from steadygan.updates import Cosine, PlayerOptimizer, UpdateRule

RULES = [
    member
    for name in updates.__all__
    if inspect.isclass(member := getattr(updates, name))
    and issubclass(member, UpdateRule)
    and not inspect.isabstract(member)
]
OPTIMIZERS = [getattr(optimizers, name) for name in optimizers.__all__]

Make = Callable[..., torch.optim.Optimizer]


def batches() -> Iterator[Batch]:
    position = 0
    while True:
        generator = torch.Generator().manual_seed(position)
        yield Batch(torch.randn(8, 2, generator=generator), torch.randn(8, 4, generator=generator))
        position += 1


def make(rule: type[UpdateRule], optimizer: Make) -> tuple[Game, UpdateRule]:
    torch.manual_seed(7)
    g, d = mlp(4, 2, width=16, depth=2)
    game = Game(g, d, Relativistic(), [R1(0.1), WGANGP(0.1, every=2)])
    players = [
        PlayerOptimizer(optimizer(n.parameters()), schedule=Cosine(20, warmup=3), clip_norm=1.0)
        for n in (g, d)
    ]
    return game, rule(*players)


def run(game: Game, rule: UpdateRule, draws: Iterator[Batch], steps: range) -> None:
    for step in steps:
        torch.manual_seed(step)
        rule.step(game, lambda: next(draws), step)


def weights(game: Game) -> list[torch.Tensor]:
    return [p.detach().clone() for n in (game.g, game.d) for p in n.parameters()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.__name__)
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_resumed_is_uninterrupted(rule: type[UpdateRule], optimizer: Make, tmp_path: Path) -> None:
    game, whole = make(rule, optimizer)
    draws = batches()
    run(game, whole, draws, range(1, 6))
    saved = {"rule": whole.state_dict(), "g": game.g.state_dict(), "d": game.d.state_dict()}
    write_state(tmp_path, "state", saved)
    where = copy.deepcopy(next(draws))
    run(game, whole, draws, range(6, 11))

    again, resumed = make(rule, optimizer)
    state = read_state(tmp_path, "state")
    again.g.load_state_dict(state["g"])
    again.d.load_state_dict(state["d"])
    resumed.load_state_dict(state["rule"])
    rest = batches()
    while not torch.equal(next(rest).x, where.x):
        pass
    run(again, resumed, rest, range(6, 11))
    for a, b in zip(weights(game), weights(again), strict=True):
        assert torch.equal(a, b)
    if whole.memory is not None:
        for a, b in zip(whole.memory, resumed.memory, strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_both_players_move(rule: type[UpdateRule]) -> None:
    game, moving = make(rule, optimizers.adam)
    before = weights(game)
    info = moving.step(game, lambda: next(batches()), 1)
    # D's last bias cancels in a relativistic objective: matrices only.
    for a, b in zip(before, weights(game), strict=True):
        assert a.dim() == 1 or not torch.equal(a, b)
    wanted = {"loss_d", "loss_g", "logit_real", "logit_fake", "grad_norm_g", "grad_norm_d"}
    assert wanted | {"lr_g", "lr_d", "r1"} <= set(info.signals)


def spoil(game: Game, where: str) -> str:
    """Make one thing not finite; returns what the message must name."""
    if where == "weight of d":
        game.d.last.weight.data[0, 0] = float("nan")
        return "d.last.weight"
    if where == "layer of g":

        class Overflow(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x * 1e38 * 1e38

        game.g.body.add_module("overflow", Overflow())
        return r"g.body.overflow \(Overflow\)"
    return "the real samples"


@pytest.mark.parametrize("where", ["weight of d", "layer of g", "batch"])
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_stops_before_the_optimizer_moves(rule: type[UpdateRule], where: str) -> None:
    game, guarded = make(rule, optimizers.adam)
    good = next(batches())
    named = spoil(game, where)
    batch = good._replace(x=good.x * float("nan")) if where == "batch" else good
    before = weights(game)
    with pytest.raises(NonFiniteError, match=named) as caught:
        guarded.step(game, lambda: batch, 1)
    assert "term: " in str(caught.value)
    assert "\n" not in str(caught.value)
    for a, b in zip(before, weights(game), strict=True):
        assert torch.equal(a.nan_to_num(9), b.nan_to_num(9))
    assert not guarded.players["d"].optimizer.state, "no moment may be poisoned"


def test_void_on_the_device_instead_of_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way an accelerator is guarded, run on the CPU: the fused step is void, ``settle`` raises."""
    monkeypatch.setattr(PlayerOptimizer, "_decides_on_device", lambda self, gradient: True)
    game, rule = make(updates.Alternating, optimizers.adam)
    good = next(batches())
    rule.step(game, lambda: good, 1)
    rule.settle()
    before = weights(game)
    rule.step(game, lambda: good._replace(x=good.x * float("inf")), 2)
    after = weights(game)
    num_g = len(list(game.g.parameters()))
    for a, b in zip(before[num_g:], after[num_g:], strict=True):
        assert torch.equal(a, b), "D must not have moved"
    with pytest.raises(NonFiniteError, match="step 2"):
        rule.settle()
    rule.settle()  # told once


def test_clipping() -> None:
    game, _ = make(updates.Alternating, optimizers.sgd)
    for limits, check in (
        (
            {"clip_norm": 1e-3},
            lambda g: float(torch.cat([x.flatten() for x in g]).norm()) <= 1.001e-3,
        ),
        ({"clip_value": 1e-4}, lambda g: max(float(x.abs().max()) for x in g) <= 1e-4),
    ):
        player = PlayerOptimizer(optimizers.sgd(game.d.parameters()), **limits)
        gradient = game.gradient("d", next(batches()), 1)
        assert player.apply(game.parameters("d"), gradient, 1)
        assert check([p.grad for p in game.d.parameters()])


def test_constraint_is_imposed_after_each_step_of_d() -> None:
    g, d = mlp(4, 2, width=16, depth=2)
    game = Game(g, d, Relativistic(), constraints=[WeightClip(0.02)])
    rule = updates.Alternating(
        optimizers.rmsprop(g.parameters()), optimizers.rmsprop(d.parameters())
    )
    rule.step(game, lambda: next(batches()), 1)
    assert max(float(p.detach().abs().max()) for p in d.parameters()) <= 0.02


@pytest.mark.parametrize(
    "alternating",
    [r for r in RULES if issubclass(r, updates.Alternating)],
    ids=lambda r: r.__name__,
)
def test_d_steps_and_shared_fakes_count_batches(alternating: type[UpdateRule]) -> None:
    for options, expected in (
        ({}, 2),
        ({"d_steps": 5}, 6),
        ({"d_steps": 5, "share_fakes": True}, 5),
    ):
        g, d = mlp(4, 2, width=16, depth=2)
        game = Game(g, d, Relativistic())
        rule = alternating(
            optimizers.adam(g.parameters()),
            optimizers.adam(d.parameters()),
            **options,
        )
        assert rule.gradients_per_step == options.get("d_steps", 1) + 1
        count = itertools.count()
        stream = batches()

        def draw(stream: Iterator[Batch] = stream, count: Iterator[int] = count) -> Batch:
            next(count)
            return next(stream)

        rule.step(game, draw, step=1)
        assert next(count) == expected


def test_one_optimizer_for_both_is_refused() -> None:
    g, _ = mlp(4, 2, width=16)
    optimizer = optimizers.adam(g.parameters())
    with pytest.raises(ConfigError, match="an optimizer each"):
        updates.Alternating(optimizer, optimizer)
    with pytest.raises(ConfigError, match="d_steps must be >= 1"):
        updates.Alternating(optimizer, optimizers.adam(g.parameters()), d_steps=0)
    with pytest.raises(ConfigError, match="clip_norm must be > 0"):
        PlayerOptimizer(optimizer, clip_norm=0.0)


@pytest.mark.parametrize("channels_last", [False, True])
def test_fused_optimizers_see_gradients_in_the_weights_own_layout(channels_last: bool) -> None:
    """``autograd.grad`` may return another memory layout, and fused kernels walk memory in order."""
    ends = []
    for fused in (True, False):
        torch.manual_seed(5)
        pair = dcgan(4, 16, 1, width=4)
        if channels_last:
            pair = [n.to(memory_format=torch.channels_last) for n in pair]
        g, d = pair
        game = Game(g, d, Relativistic(), [R1(0.1)])
        adams = [torch.optim.Adam(n.parameters(), 1e-3, fused=fused) for n in (g, d)]
        rule = updates.Alternating(*adams)
        for step in range(1, 4):
            generator = torch.Generator().manual_seed(step)
            batch = Batch(
                torch.randn(8, 1, 16, 16, generator=generator),
                torch.randn(8, 4, generator=generator),
            )
            rule.step(game, lambda batch=batch: batch, step)
        ends.append(weights(game))
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
