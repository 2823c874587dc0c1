"""Each knob against a closed form or a loop that does the same by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from conformance.treated import (
    Style,
    begun,
    closures,
    differing,
    momentum_and_decay,
    plain,
    scaler_fused,
    scaler_off,
    scaler_on,
    scheduled_by_hand,
)
from torch import Tensor, nn

from steadygan.remedies import (
    Action,
    AddPenalty,
    AugmentInputs,
    AverageWeights,
    ClipGradient,
    NormaliseSpectrally,
    ScaleLearningRate,
    SkipSteps,
    TreatedGame,
)


def alone(d: nn.Module, lr: float = 1.0, **given: object) -> tuple[TreatedGame, torch.optim.SGD]:
    """A game of which only D moves, by plain descent."""
    g = nn.Linear(2, d.weight.shape[1]) if isinstance(d, nn.Linear) else nn.Linear(2, 2)
    opt_g, opt_d = torch.optim.SGD(g.parameters(), lr), torch.optim.SGD(d.parameters(), lr)
    return TreatedGame(g, d, opt_g, opt_d, **given), opt_d


@pytest.mark.parametrize("style", [plain, momentum_and_decay, scheduled_by_hand, closures])
def test_a_scaled_rate_is_the_rate_of_a_loop_that_scales_it(style: Style) -> None:
    course = begun(style)
    ScaleLearningRate("g", 0.25).apply(course.game)
    course.run(4)
    twin = begun(style)
    optimizer = twin.patient.opt_g

    def scale(o: torch.optim.Optimizer, *_: object) -> None:
        o.param_groups[0]["lr"] *= 0.25

    def back(o: torch.optim.Optimizer, *_: object) -> None:
        o.param_groups[0]["lr"] /= 0.25

    optimizer.register_step_pre_hook(scale)
    optimizer.register_step_post_hook(back)
    twin.run(4)
    assert not differing(course.states[-1], twin.states[-1])


def test_a_rate_in_a_tensor_is_scaled_and_put_back_in_place() -> None:
    d = nn.Linear(3, 1)
    game, _ = alone(d)
    rate = torch.tensor(1.0)
    game.owners.by_player["d"].param_groups[0]["lr"] = rate
    ScaleLearningRate("d", 0.5).apply(game)
    start = d.weight.detach().clone()
    d.weight.grad = torch.ones_like(d.weight)
    game.owners.by_player["d"].step()
    assert torch.equal(d.weight, start - 0.5)
    assert game.owners.by_player["d"].param_groups[0]["lr"] is rate
    assert rate.item() == 1.0


def test_a_share_leaves_out_steps() -> None:
    course = begun(momentum_and_decay)
    SkipSteps("d", 1 / 3).apply(course.game)
    course.run(7)
    twin = begun(momentum_and_decay)
    real_step = twin.patient.opt_d.step
    for n in range(1, 8):
        twin.patient.opt_d.step = real_step if n % 3 == 0 else lambda: None
        twin.run(1)
    twin.patient.opt_d.step = real_step
    assert not differing(course.states[-1], twin.states[-1])
    assert course.game.shares["d"].num_skipped == 5


def test_clipping_is_that_of_torch() -> None:
    d = nn.Linear(3, 1, dtype=torch.float64)
    game, optimizer = alone(d)
    ClipGradient("d", 0.7).apply(game)
    start, grad = d.weight.detach().clone(), torch.tensor([[3.0, 4.0, 0.0]], dtype=torch.float64)
    d.weight.grad, d.bias.grad = grad, torch.zeros(1, dtype=torch.float64)
    optimizer.step()
    assert torch.allclose(d.weight, start - 0.7 * grad / 5, rtol=1e-6)
    assert d.weight.grad is grad
    assert torch.equal(grad, torch.tensor([[3.0, 4.0, 0.0]], dtype=torch.float64))


def lengths_moved(rule: str, limit: float, norms: list[float]) -> list[float]:
    d = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    game, optimizer = alone(d)
    ClipGradient("d", limit, rule).apply(game)  # type: ignore[arg-type]  # a parametrised literal
    found = []
    for norm in norms:
        before = d.weight.item()
        d.weight.grad = torch.full_like(d.weight, norm)
        optimizer.step()
        found.append(before - d.weight.item())
    return found


NORMS = [1.0 + 0.1 * math.sin(n) for n in range(40)]


def test_clipping_to_the_median_by_hand() -> None:
    norms = [*NORMS, 50.0, 1.0, 50.0]
    history: list[float] = []
    expected = []
    for norm in norms:
        middle = sorted(history)[len(history) // 2] if len(history) % 2 else math.nan
        if history and len(history) % 2 == 0:
            middle = sum(sorted(history)[len(history) // 2 - 1 : len(history) // 2 + 1]) / 2
        bound = 2.0 * middle if len(history) >= 16 else math.inf
        history.append(min(norm, bound))
        expected.append(history[-1])
    assert lengths_moved("median", 2.0, norms) == pytest.approx(expected, rel=1e-5)
    assert expected[-1] < 3


def test_clipping_by_z_score_by_hand() -> None:
    norms = [*NORMS, 50.0, 1.0, 3.0]
    mean = sum(norms[:25]) / 25
    variance = sum((n - mean) ** 2 for n in norms[:25]) / 25
    expected = norms[:25]
    for norm in norms[25:]:
        z = (norm - mean) / math.sqrt(variance)
        expected.append(mean + 2.5**2 / z * math.sqrt(variance) if z > 2.5 else norm)
        mean = 0.97 * mean + 0.03 * expected[-1]
        variance = 0.97 * variance + 0.03 * (expected[-1] - mean) ** 2
    assert lengths_moved("zscore", 2.5, norms) == pytest.approx(expected, rel=1e-5)
    assert max(expected) < 2


@pytest.mark.parametrize("kind", ["R1", "R2"])
@pytest.mark.parametrize("every", [1, 3])
def test_the_penalty_of_a_plane_is_its_weight(kind: str, every: int) -> None:
    # D(x) = w·x + b: ½‖∇ₓD‖² = ½‖w‖², and its gradient w.
    d = nn.Linear(3, 1, dtype=torch.float64)
    real = torch.randn(50, 3, dtype=torch.float64)
    game, optimizer = alone(d, real=real, latent=torch.randn(50, 2))
    AddPenalty(kind, 0.1, every=every, batch=5).apply(game)
    grad = torch.full_like(d.weight, 0.01)
    w = d.weight.detach().clone()
    for n in range(6):
        d.weight.grad, d.bias.grad = grad, torch.zeros_like(d.bias)
        optimizer.step()
        w -= 0.01 + (0.1 * every * w if n % every == 0 else 0)
        assert torch.allclose(d.weight, w)
        assert d.weight.grad is grad
        assert (grad == 0.01).all()


def test_a_penalty_with_a_ramp_comes_in_step_by_step_and_travels() -> None:
    d = nn.Linear(3, 1, dtype=torch.float64)
    game, optimizer = alone(d, real=torch.randn(50, 3, dtype=torch.float64))
    w = d.weight.detach().clone()

    def steps(*weights: float) -> None:
        nonlocal w
        for weight in weights:
            d.weight.grad, d.bias.grad = torch.zeros_like(d.weight), torch.zeros_like(d.bias)
            optimizer.step()
            w = w - weight * w
            assert torch.allclose(d.weight, w)

    AddPenalty("R1", 0.2, every=1, batch=5, ramp=4).apply(game)
    steps(0.0, 0.05, 0.1)
    game.penalty.load_state_dict(game.penalty.state_dict())
    steps(0.15, 0.2, 0.2)
    AddPenalty("R1", 0.1, every=1, batch=5, ramp=2).apply(game)
    steps(0.2, 0.15, 0.1, 0.1)
    AddPenalty("R1", 0.3, every=1, batch=5).apply(game)
    steps(0.3)


@pytest.mark.parametrize("style", [scaler_on, scaler_fused])
@pytest.mark.parametrize("action", [AddPenalty("R1", 0.5, every=2), ClipGradient("d", 0.05)])
def test_a_loss_scale_changes_nothing_of_what_is_added_or_clipped(
    style: Style, action: Action
) -> None:
    found = []
    for each in (style, scaler_off):
        course = begun(each)
        action.apply(course.game)
        course.run(4)
        found.append(torch.cat([p.detach().flatten() for p in course.patient.d.parameters()]))
    assert torch.allclose(*found, atol=1e-6)


class Squared(nn.Module):
    """D(x) = Σ a·x²: ∇ₓD = 2a·x."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.ones(2, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return (self.a * x**2).sum(1, keepdim=True)


def test_the_penalty_is_that_of_the_loss_per_sample() -> None:
    d, real = Squared(), torch.randn(1, 2, dtype=torch.float64)
    game, optimizer = alone(d, real=real)
    AddPenalty("R1", 0.5, every=1, batch=4).apply(game)  # four times the same sample
    with game.turning():
        game.noise.set(0.5, 1000, 0, 1.0)  # which is for the training's passes
    d.a.grad = torch.zeros_like(d.a)
    optimizer.step()
    # mean ½‖2a·x‖² at a = 1: gradient 4·x²; four equal samples count as one
    assert torch.allclose(d.a, 1 - 0.5 * 4 * real[0] ** 2)


def test_a_normalised_layer_comes_down_and_stays_when_switched_off() -> None:
    d = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1))
    conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ConvTranspose2d(4, 2, 3), nn.Flatten())
    x, image = torch.randn(10, 2), torch.randn(3, 1, 6, 6)
    for network, inputs in ((d, x), (conv, image)):
        with torch.no_grad():
            for p in network.parameters():
                p.mul_(5)
        game, optimizer = alone(network, lr=1e-3)
        before = network(inputs)
        NormaliseSpectrally(limit=1.0, ramp=5).apply(game)
        assert torch.equal(network(inputs), before)  # the same function right after the switch
        for _ in range(12):
            optimizer.zero_grad()
            network(inputs).square().mean().backward()
            optimizer.step()
        treated = network(inputs)
        for _, p in network.named_parameters():
            assert isinstance(p, nn.Parameter)
        NormaliseSpectrally(is_on=False).apply(game)
        assert torch.equal(network(inputs), treated)
        for layer in network:
            if hasattr(layer, "weight"):
                w = layer.weight.detach()
                w = w.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else w
                assert torch.linalg.matrix_norm(w.flatten(1), 2).item() == pytest.approx(
                    1, rel=0.02
                )


def test_the_normalised_gradient_is_that_of_the_formula() -> None:
    d = nn.Linear(3, 4, dtype=torch.float64)
    game, _ = alone(d)
    twin = d.weight.detach().clone().requires_grad_()
    NormaliseSpectrally().apply(game)
    x = torch.randn(5, 3, dtype=torch.float64)
    d(x).square().sum().backward()
    layer = game.spectral._layers[""]
    sigma = layer.u @ twin @ layer.v
    assert sigma.item() == pytest.approx(torch.linalg.matrix_norm(twin, 2).item())
    F.linear(x, twin * (sigma.detach() / sigma), d.bias).square().sum().backward()
    assert d.weight.grad is not None
    assert twin.grad is not None
    assert torch.allclose(d.weight.grad, twin.grad)


def test_an_average_is_that_of_the_recursion_with_its_buffers() -> None:
    course = begun(plain)
    g = course.patient.g
    twin = {k: v.detach().clone() for k, v in g.state_dict().items()}
    AverageWeights(2.0).apply(course.game)
    for n in range(1, 6):
        course.run(1)
        decay = min(0.5**0.5, (1 + n) / (10 + n))
        for name, value in g.state_dict().items():
            if value.is_floating_point():
                twin[name] = twin[name] + (1 - decay) * (value - twin[name])
    averaged = course.game.generator()
    assert averaged is not g
    assert not averaged.training
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, twin[name], atol=1e-6), name


class Sees(nn.Module):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.seen = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        return self.weight * x.flatten(1).sum(1)


def test_augmentation_changes_a_share_of_images_and_lets_gradients_through() -> None:
    d = Sees()
    images = torch.rand(2000, 1, 4, 6)
    game, _ = alone(d, real=images)
    AugmentInputs(0.6, ("flip",)).apply(game)
    leaf = images.clone().requires_grad_()
    d(leaf).sum().backward()
    kept = (d.seen == images).flatten(1).all(1).float().mean().item()
    assert kept == pytest.approx(1 - 0.6 / 2, abs=0.05)  # half of the chosen are flipped
    turned = (d.seen == images.flip(3)).flatten(1).all(1).float().mean().item()
    assert kept + turned == pytest.approx(1.0)
    assert leaf.grad is not None
    assert torch.equal(leaf.grad, torch.ones_like(leaf))
    with torch.no_grad():
        d(images)
    assert torch.equal(d.seen, images)
    undo = AugmentInputs(0.0, ("flip",)).apply(game)
    assert not d._forward_pre_hooks
    assert undo.probability == 0.6
