"""Hooks that come and go while others call theirs, optimizers shared by both players, wrappers, copies."""

import copy
import io

import pytest
import torch
from conformance.treated import begun, differing, hooks_of, one_optimizer, plain, snapshot, treated
from torch import nn

from steadygan import watch
from steadygan.errors import ActionError, ConfigError
from steadygan.probes import run_untouched
from steadygan.remedies import (
    Action,
    AddNoise,
    AddPenalty,
    ClipGradient,
    GuardSteps,
    NormaliseSpectrally,
    ScaleLearningRate,
    SkipSteps,
    TreatedGame,
    action_from_json,
)


def test_actions_may_come_from_hooks_after_a_step() -> None:
    course = begun(plain)
    p, game = course.patient, course.game
    log: list[Action] = []

    def act(*_: object) -> None:
        # Turn on, and off, in the middle of the optimizer's walk through its hooks.
        step = len(log)
        log.append((ScaleLearningRate("d", 0.5) if step % 2 == 0 else log[-1]).apply(game))

    handles = [p.opt_d.register_step_post_hook(act)]
    handles.append(p.opt_d.register_step_post_hook(lambda *_: None))
    course.run(5)
    for handle in handles:
        handle.remove()
    assert game.rates["d"].factor == 0.5
    course.run(1)
    log[-1].apply(game)
    assert hooks_of(p) == 0


def test_a_step_that_fails_leaves_the_rate_as_it_was() -> None:
    course = begun(plain)
    optimizer = course.patient.opt_d
    course.run(1)
    ScaleLearningRate("d", 0.25).apply(course.game)

    def fails() -> float:
        raise ValueError("out of data")

    with pytest.raises(ValueError, match="out of data"):
        optimizer.step(fails)
    course.run(1)
    assert optimizer.param_groups[0]["lr"] == 1e-2
    with pytest.raises(ValueError, match="out of data"):
        optimizer.step(fails)
    course.game.close()
    assert optimizer.param_groups[0]["lr"] == 1e-2
    assert hooks_of(course.patient) == 0


class Inherits(torch.optim.SGD):
    """A step that calls the one it inherits, which has hooks of its own."""

    def step(self, closure: object = None) -> None:  # type: ignore[override]  # as people write it
        super().step()


def test_a_step_inside_of_a_step_is_treated_once() -> None:
    torch.optim.SGD([nn.Parameter(torch.zeros(1))])  # its class is hooked from here on
    g, d = nn.Linear(1, 1), nn.Linear(1, 1, bias=False)
    opt_g, opt_d = Inherits(g.parameters(), 1.0), Inherits(d.parameters(), 1.0)
    game = TreatedGame(g, d, opt_g, opt_d)
    ScaleLearningRate("d", 0.5).apply(game)
    SkipSteps("d", 0.5).apply(game)
    start = d.weight.item()
    for _ in range(4):
        d.weight.grad = torch.ones_like(d.weight)
        opt_d.step()
    assert d.weight.item() == pytest.approx(start - 1.0)  # two steps of a half
    assert opt_d.param_groups[0]["lr"] == 1.0


def test_one_group_for_both_players_has_no_rate_for_one() -> None:
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    both = torch.optim.Adam([*g.parameters(), *d.parameters()])
    game = TreatedGame(g, d, both, both)
    with pytest.raises(ActionError, match="a group for each"):
        ScaleLearningRate("g", 0.5).apply(game)
    SkipSteps("g", 0.5).apply(game)  # but its steps can be skipped
    before = [p.clone() for p in g.parameters()]
    d(g(torch.randn(4, 2))).sum().backward()
    both.step()
    assert all(torch.equal(a, b) for a, b in zip(before, g.parameters(), strict=True))
    assert all(p not in both.state for p in g.parameters())
    assert all(p in both.state for p in d.parameters())


def test_an_optimizer_without_its_player_is_refused() -> None:
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    opt = torch.optim.Adam(g.parameters())
    with pytest.raises(ConfigError, match="opt_d must hold parameters of the discriminator"):
        TreatedGame(g, d, opt, opt)


class Watcher(nn.Module):
    """Notes what it is shown."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.seen = inner, torch.empty(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = x.detach()
        answer: torch.Tensor = self.inner(x)
        return answer


def noisy() -> tuple[TreatedGame, Watcher]:
    g, d = nn.Linear(4, 2), Watcher(nn.Linear(2, 1))
    opts = [torch.optim.SGD(n.parameters(), 1e-2) for n in (g, d)]
    game = TreatedGame(g, d, *opts, real=3.0 * torch.randn(500, 2))
    AddNoise(0.5, decay=4).apply(game)
    return game, d


def test_noise_is_what_it_says_only_in_training_and_fades() -> None:
    game, d = noisy()
    x = torch.zeros(4000, 2)
    d(x)
    assert d.seen.std().item() == pytest.approx(1.5, rel=0.05)
    first = d.seen
    d(x)
    assert not torch.equal(d.seen, first)
    with torch.no_grad():
        d(x)
    assert torch.equal(d.seen, x)
    d.eval()
    d(x)
    assert torch.equal(d.seen, x)
    d.train()
    watched = run_untouched(d, x)
    assert torch.equal(watched, d.inner(x))
    optimizer = game.owners.by_player["d"]
    for left in (3, 2, 1, 0):
        optimizer.zero_grad()
        d(x).sum().backward()
        optimizer.step()
        d(x)
        assert d.seen.std().item() == pytest.approx(1.5 * left / 4, rel=0.05)
    assert not game.noise.is_on
    assert not d._forward_pre_hooks


def test_what_copies_a_treated_network_copies_no_treatment() -> None:
    game, d = noisy()
    NormaliseSpectrally().apply(game)
    names = list(d.state_dict())
    copied = copy.deepcopy(d)
    x = torch.randn(8, 2)
    copied(x)
    assert torch.equal(copied.seen, x)
    assert list(copied.state_dict()) == names == ["inner.weight", "inner.bias"]
    torch.save(d, io.BytesIO())  # pickles


def test_wrappers_are_looked_into() -> None:
    class DataParallelLike(nn.parallel.DataParallel):
        pass

    g, d = nn.Linear(4, 2), Watcher(nn.Linear(2, 1))
    wrapped = DataParallelLike(d)
    opts = [torch.optim.SGD(n.parameters(), 1e-2) for n in (g, d)]
    game = TreatedGame(g, wrapped, *opts, real=torch.randn(500, 2))
    AddNoise(1.0).apply(game)
    x = torch.zeros(4000, 2)
    for called in (wrapped, d):
        called(x)
        assert d.seen.std().item() == pytest.approx(1.0, rel=0.05)  # once, not twice


def test_its_own_state_is_complete_and_checked() -> None:
    course = begun(one_optimizer)
    for action in (
        GuardSteps(),
        AddNoise(0.1),
        AddPenalty("R1", 0.1, every=2),
        ClipGradient("d", 3.0, "median"),
        NormaliseSpectrally(),
        SkipSteps("g", 0.5),
    ):
        action.apply(course.game)
    course.run(2)
    state = copy.deepcopy(course.game.state_dict())
    other = begun(one_optimizer)
    other.game.load_state_dict(state)
    assert other.game.noise.elapsed == course.game.noise.elapsed == 2
    other.run(1)
    assert hooks_of(other.patient) == hooks_of(course.patient) > 0
    with pytest.raises(ActionError, match="another version"):
        other.game.load_state_dict({})
    course.game.close()
    assert hooks_of(course.patient) == 0


def test_the_menu_refuses_what_is_not_on_it() -> None:
    with pytest.raises(ConfigError, match="did you mean 'AddNoise'"):
        action_from_json({"action": "AddNoize"})
    with pytest.raises(ActionError, match="another version"):
        action_from_json({"action": "AddNoise", "amount": 0.1, "colour": "pink"})


def test_a_game_that_was_closed_trains_on() -> None:
    course = begun(plain)
    GuardSteps().apply(course.game)
    course.run(1)
    course.game.close()
    course.game.close()
    course.run(2)
    twin = begun(plain)
    twin.run(3)
    assert snapshot(course.patient) == snapshot(twin.patient)
    assert treated(course.patient).generator() is course.patient.g


def test_beside_a_monitor_an_idle_and_a_guarded_game_change_nothing() -> None:
    course = begun(plain)
    p = course.patient
    with watch(p.g, p.d, p.opt_g, p.opt_d, real=p.real, latent=p.latent, budget=None) as monitor:
        game = treated(p)
        GuardSteps().apply(game)
        course.run(4)
        spoil = p.d[3].weight.register_hook(lambda grad: grad * float("nan"))
        course.run(1)
        spoil.remove()
    # The monitor saw the gradient as the loop made it, and the weights did not.
    assert "non_finite_gradient" in {event.name for event in monitor.record.events}
    assert game.poisoned() == []
    twin = begun(plain)
    twin.run(4)
    assert not differing(twin.states[0], course.states[0])
