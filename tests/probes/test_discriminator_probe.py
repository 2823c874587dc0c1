"""The discriminator's probe against closed forms and slow twins; and what it does with odd networks."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from steadygan.errors import DataError
from steadygan.networks import mlp
from steadygan.probes import Discriminator, GameView
from steadygan.probes.discriminator import auc

SLOPES = {"input_grad_real", "input_grad_fake", "input_grad_between"}


class Says(nn.Module):
    """A discriminator that is any function of its inputs."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


W = torch.tensor([3.0, 4.0])


def linear(x: Tensor) -> Tensor:
    return x @ W


def measured(
    d: Callable[..., Tensor], real: Tensor, fake: Tensor, validation: Tensor | None = None
) -> dict[str, float]:
    probe = Discriminator(real, fake, validation=validation)
    found = probe.measure(GameView(nn.Identity(), Says(d), 1))
    return {name: float(value) for name, value in found.items()}


def points(num: int, shift: float, seed: int) -> Tensor:
    return torch.randn(num, 2, generator=torch.Generator().manual_seed(seed)) + shift


def slow_auc(r: list[float], f: list[float]) -> float:
    return sum((a > b) + (a == b) / 2 for a in r for b in f) / (len(r) * len(f))


def test_the_area_counts_pairs() -> None:
    real, fake = torch.randn(40).round(decimals=1), torch.randn(30).round(decimals=1)
    assert float(auc(real, fake)) == pytest.approx(slow_auc(real.tolist(), fake.tolist()), abs=1e-6)
    assert float(auc(real, fake) + auc(fake, real)) == pytest.approx(1.0, abs=1e-6)
    assert float(auc(real, fake)) == float(auc(torch.exp(real), torch.exp(fake)))


@pytest.mark.parametrize("held_out", [False, True])
def test_every_signal_against_its_formula(held_out: bool) -> None:
    x, y, unseen = (4 * points(50, shift, seed) for shift, seed in ((0.3, 0), (0.0, 1), (0.1, 2)))
    found = measured(linear, x, y, unseen if held_out else None)
    r, f, v = (linear(part).double() for part in (x, y, unseen))
    h = v if held_out else r
    spread = math.sqrt((h.var(correction=0) + f.var(correction=0)) / 2)
    expected = {
        "auc": slow_auc(h.tolist(), f.tolist()),
        "logit_spread": spread,
        "d_prime": (h.mean() - f.mean()) / spread,
        "logit_real": r.mean(),
        "logit_fake": f.mean(),
        "logit_real_std": r.std(correction=0),
        "logit_fake_std": f.std(correction=0),
        "accuracy": sum([v > 0 for v in r.tolist()] + [v < 0 for v in f.tolist()]) / 100,
        "saturated_real": sum(v > 6.9 for v in r.tolist()) / 50,
        "saturated_fake": sum(v < -6.9 for v in f.tolist()) / 50,
        **dict.fromkeys(SLOPES, 5.0),
    }
    if held_out:
        expected["logit_validation"] = v.mean()
        expected["auc_train"] = slow_auc(r.tolist(), f.tolist())
        expected["auc_validation"] = slow_auc(v.tolist(), f.tolist())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=1e-5, abs=1e-6), name


def test_closed_form_of_two_gaussians() -> None:
    """Logits N(m, s²) and N(0, s²): auc = Φ(m / (s·√2)), d′ = m / s; here m/s = 1.4·shift."""
    found = measured(linear, points(4000, 1.0, 0), points(4000, 0.0, 1))
    apart = 7.0 / 5.0
    assert found["d_prime"] == pytest.approx(apart, abs=0.08)
    assert found["auc"] == pytest.approx(0.5 * (1 + math.erf(apart / 2)), abs=0.02)


@pytest.mark.parametrize(("scale", "offset"), [(1e-3, 0.0), (1e3, 0.0), (1.0, -50.0)])
def test_scale_and_offset_of_the_logits_do_not_matter(scale: float, offset: float) -> None:
    real, fake = points(200, 0.5, 0), points(200, 0.0, 1)
    plain = measured(linear, real, fake)
    other = measured(lambda x: scale * linear(x) + offset, real, fake)
    assert other["auc"] == pytest.approx(plain["auc"], abs=1e-4)
    assert other["d_prime"] == pytest.approx(plain["d_prime"], rel=1e-3)


def test_a_constant_d_is_chance_and_flat() -> None:
    found = measured(lambda x: torch.zeros(len(x)), points(50, 1.0, 0), points(50, 0.0, 1))
    assert found.pop("auc") == 0.5
    assert set(found.values()) == {0.0}


def test_a_d_that_knows_its_training_reals_by_heart() -> None:
    """1 on them, chance elsewhere; and its power is judged where it has learnt nothing."""
    train = points(64, 0.0, 2)

    def by_heart(x: Tensor) -> Tensor:
        return -torch.cdist(x, train).amin(dim=1)

    found = measured(by_heart, train, points(256, 0.0, 1), points(256, 0.0, 0))
    assert found["auc_train"] == 1.0
    assert found["auc_validation"] == found["auc"] == pytest.approx(0.5, abs=0.1)
    assert found["logit_real"] == pytest.approx(0.0, abs=1e-3)
    assert found["logit_validation"] < -0.1
    assert abs(found["d_prime"]) < 0.5


def test_slopes_are_taken_where_they_say() -> None:
    """D = ‖x‖² / 2 has the slope x: 10 at reals, 0 at fakes, the mixing weight's share of 10 between."""
    real, fake = torch.tensor([[6.0, 8.0]]).repeat(40, 1), torch.zeros(40, 2)
    found = measured(lambda x: x.square().sum(dim=1) / 2, real, fake)
    assert found["input_grad_real"] == pytest.approx(10.0)
    assert found["input_grad_fake"] == 0.0
    assert found["input_grad_between"] == pytest.approx(5.0, abs=1.5)
    again = measured(lambda x: x.square().sum(dim=1) / 2, real, fake)
    assert again == found, "the mixing weights are fixed"


class NoDerivative(torch.autograd.Function):
    """An operation of somebody's own, forward only."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return x.sum(dim=1)


def no_derivative(x: Tensor) -> Tensor:
    logits: Tensor = NoDerivative.apply(x)
    return logits


def refuses_gradients(x: Tensor) -> Tensor:
    if x.requires_grad:
        raise KeyError("what a foreign network may raise")
    return linear(x)


@pytest.mark.parametrize("d", [no_derivative, refuses_gradients])
def test_without_slopes_the_rest_is_measured(d: Callable[..., Tensor]) -> None:
    probe = Discriminator(points(64, 1.0, 0), points(64, 0.0, 1))
    for step in range(2):
        found = probe.measure(GameView(nn.Identity(), Says(d), step))
        assert not SLOPES & set(found)
        assert float(found["auc"]) > 0.6


def test_a_first_layer_that_works_in_place() -> None:
    def doubled_in_place(x: Tensor) -> Tensor:
        return linear(x.mul_(2.0))

    found = measured(doubled_in_place, points(64, 1.0, 0).clone(), points(64, 0.0, 1).clone())
    assert found["input_grad_real"] == pytest.approx(10.0)


def test_columns_and_patches_are_averaged() -> None:
    real, fake = points(64, 1.0, 0), points(64, 0.0, 1)
    found = measured(lambda x: torch.stack([x, x], dim=1), real, fake)
    assert found == pytest.approx(measured(lambda x: x.mean(dim=1), real, fake), abs=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_unknown_not_a_share(bad: float) -> None:
    real = points(64, 1.0, 0)
    real[40] = bad
    found = measured(linear, real, points(64, 0.0, 1))
    for name in ("auc", "accuracy", "saturated_real", "saturated_fake", "d_prime"):
        assert math.isnan(found[name]), name


def test_labels_go_with_their_samples() -> None:
    def d(x: Tensor, scale: Tensor) -> Tensor:
        return x[:, 0] * scale

    ones = torch.ones(20, 1)
    probe = Discriminator(
        (ones, torch.full((20,), 3.0)),
        (ones, torch.full((20,), 5.0)),
        fake_labels=(torch.full((20,), -2.0),),
        validation=(ones[:16], torch.full((16,), 4.0)),
    )
    found = probe.measure(GameView(Says(lambda z, y: z + y[:, None]), Says(d), 1))
    assert float(found["logit_real"]) == 3.0
    assert float(found["logit_fake"]) == -12.0
    assert float(found["logit_validation"]) == 4.0
    assert float(found["input_grad_between"]) == 3.0


def test_conditional_networks_of_ours() -> None:
    pair = mlp(4, 2, width=8, classes=3)
    y = torch.arange(32) % 3
    probe = Discriminator(
        (torch.randn(32, 2), y), (torch.randn(20, 4), y[:20]), fake_labels=(y[:20],)
    )
    assert 0 <= float(probe.measure(GameView(pair.g, pair.d, 1))["auc"]) <= 1


def test_d_is_asked_about_as_many_fakes_as_reals() -> None:
    asked: list[int] = []

    def d(x: Tensor) -> Tensor:
        asked.append(len(x))
        return linear(x)

    measured(d, points(40, 0.0, 0), points(100, 0.0, 1))
    assert asked == [40, 40, 32, 32, 32]


@pytest.mark.parametrize("which", ["real", "latents", "validation"])
def test_too_few_are_refused(which: str) -> None:
    given = {name: torch.randn(20, 2) for name in ("real", "latents", "validation")}
    given[which] = torch.randn(3, 2)
    with pytest.raises(DataError, match=f"{which} must hold at least 16 samples, got 3"):
        Discriminator(given["real"], given["latents"], validation=given["validation"])
