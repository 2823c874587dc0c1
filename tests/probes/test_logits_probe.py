"""The discriminator's logits against slow twins in float64."""

import math

import pytest
import torch
from torch import nn

from steadygan.probes import GameView
from steadygan.probes.discriminator import auc
from steadygan.probes.logits import DiscriminatorLogits


class Shift(nn.Module):
    """A generator that moves its latents."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z - 0.5


class First(nn.Module):
    """A critic whose logit is the first coordinate."""

    def forward(self, x: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        return x[:, 0] if scale is None else x[:, 0] * scale


def view() -> GameView:
    return GameView(g=Shift(), d=First(), step=1)


def slow_auc(r: list[float], f: list[float]) -> float:
    return sum((a > b) + (a == b) / 2 for a in r for b in f) / (len(r) * len(f))


def test_every_signal_against_its_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    x, z, v = (8 * torch.randn(50, 2, generator=generator) for _ in range(3))
    found = DiscriminatorLogits((x,), z, validation=(v,)).measure(view())
    r, f, h = x[:, 0].double(), (z - 0.5)[:, 0].double(), v[:, 0].double()
    spread = math.sqrt((r.var(correction=0) + f.var(correction=0)) / 2)
    expected = {
        "logit_real": r.mean(),
        "logit_fake": f.mean(),
        "logit_validation": h.mean(),
        "logit_real_std": r.std(correction=0),
        "logit_fake_std": f.std(correction=0),
        "auc": slow_auc(h.tolist(), f.tolist()),
        "auc_validation": slow_auc(h.tolist(), f.tolist()),
        "auc_train": slow_auc(r.tolist(), f.tolist()),
        "d_prime": (r.mean() - f.mean()) / spread,
        "accuracy": sum([v > 0 for v in r.tolist()] + [v < 0 for v in f.tolist()]) / 100,
        "saturated_real": sum(v > 6.9 for v in r.tolist()) / 50,
        "saturated_fake": sum(v < -6.9 for v in f.tolist()) / 50,
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value), rel=1e-5, abs=1e-6), name


def test_without_validation_reals_auc_is_the_training_reals() -> None:
    x, z = torch.tensor([[1.0], [3.0]]), torch.tensor([[1.5], [2.5]])
    found = DiscriminatorLogits((x,), z).measure(view())
    assert float(found["auc"]) == 0.625  # 3 beats both, 1 ties with one: (1 + 1 + ½ + 0) / 4
    assert "auc_train" not in found
    assert "logit_validation" not in found


def test_labels_go_along() -> None:
    x, z = torch.ones(4, 1), torch.ones(4, 1)
    found = DiscriminatorLogits(
        (x, torch.full((4,), 3.0)), z, fake_labels=(torch.full((4,), -2.0),)
    ).measure(view())
    assert float(found["logit_real"]) == 3.0
    assert float(found["logit_fake"]) == -1.0


def test_a_constant_critic_is_finite_and_sees_nothing() -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(x))

    found = DiscriminatorLogits((torch.randn(9, 2),), torch.randn(9, 2)).measure(
        GameView(g=Shift(), d=Constant(), step=1)
    )
    assert float(found["auc"]) == 0.5
    assert float(found["d_prime"]) == 0.0
    assert all(math.isfinite(float(value)) for value in found.values())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_unknown_not_a_share(bad: float) -> None:
    x = torch.ones(4, 1)
    x[2] = bad
    found = DiscriminatorLogits((x,), torch.ones(4, 1)).measure(view())
    for name in ("auc", "accuracy", "saturated_real", "saturated_fake", "d_prime"):
        assert math.isnan(float(found[name])), name


def test_auc_does_not_depend_on_the_scale() -> None:
    r, f = torch.randn(30), torch.randn(40)
    assert float(auc(r, f)) == float(auc(torch.exp(r), torch.exp(f)))
