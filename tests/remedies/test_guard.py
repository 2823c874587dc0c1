"""Nothing that is no number gets into a weight or a moment, and what is there already is found."""

import math

import pytest
import torch
from conformance.treated import (
    Style,
    accumulation,
    begun,
    closures,
    differing,
    momentum_and_decay,
    one_optimizer,
    one_step_for_both,
    plain,
    scaler_off,
    scaler_on,
    several_evaluations,
    snapshot,
)
from torch import Tensor, nn

from steadygan.remedies import (
    AddPenalty,
    ClipGradient,
    GuardSteps,
    Incident,
    ResetOptimizer,
    RollBack,
)
from steadygan.remedies.knobs.guard import FiniteCheck

STYLES = [
    plain,
    one_optimizer,
    one_step_for_both,
    accumulation,
    momentum_and_decay,
    scaler_off,
    closures,
    several_evaluations,
]


def poison_gradient(parameter: Tensor, value: float) -> torch.utils.hooks.RemovableHandle:
    def spoil(grad: Tensor) -> Tensor:
        spoiled = grad.clone()
        spoiled.view(-1)[0] = value
        return spoiled

    return parameter.requires_grad_().register_hook(spoil)


def weights(network: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in network.parameters()]


@pytest.mark.parametrize("style", STYLES, ids=lambda s: s.__name__)
@pytest.mark.parametrize("player", ["g", "d"])
@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_poisoned_gradient_moves_nobody(style: Style, player: str, value: float) -> None:
    course = begun(style)
    GuardSteps().apply(course.game)
    course.run(2)
    network = course.game.networks[player]
    owner = course.game.owners.by_player[player]
    mine = course.game.owners.parameters(player)
    before, moments = weights(network), [repr(owner.state[p]) for p in mine]
    handle = poison_gradient(next(network.parameters()), value)
    course.run(1)
    handle.remove()
    after, moments_after = weights(network), [repr(owner.state[p]) for p in mine]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert moments == moments_after
    assert course.game.poisoned() == []
    assert course.game.guard.counts[player] >= 1
    incident = course.game.guard.incidents[0]
    name = next(n for n, _ in network.named_parameters())
    assert (incident.player, incident.parameter, incident.cause) == (
        player,
        f"{player}.{name}",
        "gradient",
    )
    course.run(1)
    assert not all(torch.equal(a, b) for a, b in zip(before, weights(network), strict=True))


def test_a_guarded_step_is_one_that_was_never_made() -> None:
    course = begun(momentum_and_decay)
    GuardSteps().apply(course.game)
    course.run(2)
    poison = poison_gradient(next(course.patient.d.parameters()), math.nan)
    course.run(1)
    poison.remove()
    course.run(2)
    twin = begun(momentum_and_decay)
    twin.run(2)
    real_step, twin.patient.opt_d.step = twin.patient.opt_d.step, lambda: None  # type: ignore[method-assign]  # not made
    twin.run(1)
    twin.patient.opt_d.step = real_step  # type: ignore[method-assign]  # and made again
    twin.run(2)
    assert not differing(course.states[-1], twin.states[-1])


def test_a_batch_is_named_as_the_cause_and_batch_norm_is_found_poisoned() -> None:
    course = begun(plain)
    GuardSteps().apply(course.game)
    course.run(1)
    course.game.snapshots.take(1)
    p = course.patient
    p.opt_g.zero_grad()
    p.d(p.g(torch.full((16, 4), math.nan))).mean().backward()
    p.opt_g.step()
    assert course.game.guard.incidents[-1].cause == "batch"
    assert {(q.place, q.player) for q in course.game.poisoned()} == {("buffer", "g")}
    RollBack(1).apply(course.game)
    assert course.game.poisoned() == []


def test_a_weight_is_named_and_gone_back_behind() -> None:
    course = begun(plain)
    GuardSteps().apply(course.game)
    course.run(2)
    course.game.snapshots.take(2)
    kept = snapshot(course.patient)
    with torch.no_grad():
        course.patient.d[3].weight.view(-1)[2] = math.nan
    course.run(1)
    assert course.game.guard.incidents[0].cause == "weight"
    assert ("d", "weight", "d.3.weight") in course.game.poisoned()
    assert course.game.snapshots.take(3) is None  # never kept as something to go back to
    RollBack(2, randomness=True).apply(course.game)
    names = [n for n in differing(snapshot(course.patient), kept) if not n.endswith("grad")]
    assert not names


@pytest.mark.parametrize("key", ["exp_avg", "exp_avg_sq", "step"])
def test_a_poisoned_moment_is_found_and_reset(key: str) -> None:
    course = begun(plain)
    course.run(2)
    weight = course.patient.d[3].weight
    entry = course.patient.opt_d.state[weight]
    entry[key].view(-1)[0] = math.nan
    assert course.game.poisoned() == [("d", "optimizer", f"d.3.weight: {key}")]
    good = {k: v.clone() for k, v in entry.items()}
    undo = ResetOptimizer("d", "non_finite").apply(course.game)
    assert course.game.poisoned() == []
    if key == "step":
        assert weight not in course.patient.opt_d.state
    else:
        left = course.patient.opt_d.state[weight]
        assert left["exp_avg"].view(-1)[0] == left["exp_avg_sq"].view(-1)[0] == 0
        assert torch.equal(left["exp_avg"].view(-1)[1:], good["exp_avg"].view(-1)[1:])
    undo.apply(course.game)
    assert course.game.poisoned() == [("d", "optimizer", f"d.3.weight: {key}")]
    ResetOptimizer("d").apply(course.game)
    assert not course.patient.opt_d.state
    course.run(1)
    assert course.game.poisoned() == []


def test_the_scalers_overflows_are_the_scalers() -> None:
    course = begun(scaler_on)
    GuardSteps().apply(course.game)
    course.run(1)
    poison = poison_gradient(next(course.patient.d.parameters()), math.inf)
    course.run(1)
    poison.remove()
    assert course.game.guard.counts["d"] == 0
    assert course.game.poisoned() == []


def test_a_poisoned_step_enters_no_history_and_adds_no_penalty() -> None:
    course = begun(plain)
    for action in (GuardSteps(), ClipGradient("d", 3.0, "median"), AddPenalty("R1", 1.0, every=1)):
        action.apply(course.game)
    course.run(2)
    poison = poison_gradient(next(course.patient.d.parameters()), math.nan)
    course.run(1)
    poison.remove()
    course.run(1)
    assert len(course.game.clips["d"].state_dict()["lengths"]) == 3
    assert course.game.poisoned() == []
    assert all(isinstance(i, Incident) for i in course.game.guard.incidents)


def test_a_gradient_whose_square_overflows_is_found_in_the_moment() -> None:
    course = begun(plain)
    GuardSteps().apply(course.game)
    poison = poison_gradient(course.patient.d[3].weight, 1e30)
    course.run(1)
    poison.remove()
    assert course.game.poisoned() == [("d", "optimizer", "d.3.weight: exp_avg_sq")]
    assert course.game.snapshots.take(1) is None
    ResetOptimizer("d", "non_finite").apply(course.game)
    assert course.game.poisoned() == []


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_the_look_at_gradients_of_every_kind(value: float) -> None:
    check = FiniteCheck()
    kinds = [
        torch.tensor([1.0, value]),
        torch.tensor([1e-40, value]).expand(3, 2),
        torch.tensor([1.0, value], dtype=torch.bfloat16),
        torch.tensor([1.0, value], dtype=torch.complex64),
        torch.tensor([0.0, value]).to_sparse(),
    ]
    for grad in kinds:
        before = grad.to_dense().clone() if grad.is_sparse else grad.clone()
        assert check([torch.ones(2), grad]) is math.isfinite(value)
        assert repr(grad.to_dense() if grad.is_sparse else grad) == repr(before)
    assert check([torch.ones(2)])


@pytest.mark.filterwarnings("ignore:Using backward")
def test_the_look_leaves_a_gradient_with_a_graph_as_it_is() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    (w**3).sum().backward(create_graph=True)
    grad = w.grad
    assert grad is not None
    node, version = grad.grad_fn, grad._version
    assert FiniteCheck()([grad])
    assert (grad.grad_fn, grad._version) == (node, version)
    (curvature,) = torch.autograd.grad(grad.sum(), w)
    assert torch.equal(curvature, 6 * w)
    w.grad = None
