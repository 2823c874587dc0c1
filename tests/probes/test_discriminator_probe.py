"""The discriminator's probe against closed forms; and that it leaves no trace."""

import math

import pytest
import torch
from torch import Tensor, nn

from steadygan.errors import DataError
from steadygan.networks import dcgan, mlp
from steadygan.networks.layers.spectral import spectral_norm_
from steadygan.probes import Discriminator, GameView
from steadygan.probes.discriminator import auc


class Linear(nn.Module):
    """scale·(w·x) + offset."""

    def __init__(self, w: Tensor, scale: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        self.w, self.scale, self.offset = w, scale, offset

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (x @ self.w) + self.offset


W = torch.tensor([3.0, 4.0])


def measured(d: nn.Module, real: Tensor, fake: Tensor, **others: Tensor) -> dict[str, float]:
    found = Discriminator(real, fake, **others).measure(GameView(nn.Identity(), d, 1))
    return {name: float(value) for name, value in found.items()}


def points(num: int, shift: float, seed: int) -> Tensor:
    return torch.randn(num, 2, generator=torch.Generator().manual_seed(seed)) + shift


def test_the_area_counts_pairs() -> None:
    real, fake = torch.randn(40).round(decimals=1), torch.randn(30).round(decimals=1)
    pairs = [(r > f) + 0.5 * (r == f) for r in real.tolist() for f in fake.tolist()]
    assert float(auc(real, fake)) == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)
    assert float(auc(real, fake) + auc(fake, real)) == pytest.approx(1.0, abs=1e-6)


def test_closed_form_of_two_gaussians() -> None:
    """Logits N(m, s²) and N(0, s²): auc = Φ(m / (s·√2)), d′ = m / s; here m/s = 1.4·shift."""
    found = measured(Linear(W), points(4000, 1.0, 0), points(4000, 0.0, 1))
    apart = 7.0 / 5.0
    assert found["d_prime"] == pytest.approx(apart, abs=0.08)
    assert found["auc"] == pytest.approx(0.5 * (1 + math.erf(apart / 2)), abs=0.02)
    assert found["logit_spread"] == pytest.approx(5.0, rel=0.05)
    assert found["input_grad_real"] == pytest.approx(5.0)
    assert found["input_grad_fake"] == pytest.approx(5.0)


@pytest.mark.parametrize(("scale", "offset"), [(1e-3, 0.0), (1e3, 0.0), (1.0, -50.0)])
def test_scale_and_offset_of_the_logits_do_not_matter(scale: float, offset: float) -> None:
    real, fake = points(200, 0.5, 0), points(200, 0.0, 1)
    plain, other = measured(Linear(W), real, fake), measured(Linear(W, scale, offset), real, fake)
    assert other["auc"] == pytest.approx(plain["auc"], abs=1e-4)
    assert other["d_prime"] == pytest.approx(plain["d_prime"], rel=1e-3)


def test_a_constant_d_is_chance_and_flat() -> None:
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(len(x))

    found = measured(Constant(), points(50, 1.0, 0), points(50, 0.0, 1))
    assert found == {
        "auc": 0.5,
        "d_prime": 0.0,
        "logit_spread": 0.0,
        "input_grad_real": 0.0,
        "input_grad_fake": 0.0,
    }


def test_training_and_validation_areas() -> None:
    """A D that knows its training reals by heart: 1 there, chance elsewhere."""
    train = points(64, 0.0, 2)

    class ByHeart(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return -torch.cdist(x, train).amin(dim=1)

    found = measured(ByHeart(), points(256, 0.0, 0), points(256, 0.0, 1), train=train)
    assert found["auc_train"] == 1.0
    assert found["auc_validation"] == found["auc"] == pytest.approx(0.5, abs=0.1)


def test_columns_and_patches_are_averaged() -> None:
    class Patches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x, x], dim=1)

    found = measured(Patches(), points(64, 1.0, 0), points(64, 0.0, 1))
    flat = measured(Linear(torch.tensor([0.5, 0.5])), points(64, 1.0, 0), points(64, 0.0, 1))
    assert found == pytest.approx(flat, abs=1e-5)


def test_not_finite_logits_are_unknown() -> None:
    found = measured(Linear(W * math.inf), points(64, 1.0, 0), points(64, 0.0, 1))
    assert math.isnan(found["auc"])


def test_labels_go_with_their_samples() -> None:
    pair = mlp(4, 2, width=8, classes=3)
    y = torch.arange(32) % 3
    probe = Discriminator(torch.randn(32, 2), torch.randn(20, 4), y)
    assert 0 <= float(probe.measure(GameView(pair.g, pair.d, 1))["auc"]) <= 1


@pytest.mark.parametrize("which", ["real", "latents", "train"])
def test_too_few_are_refused(which: str) -> None:
    given = {name: torch.randn(20, 2) for name in ("real", "latents", "train")}
    given[which] = torch.randn(3, 2)
    with pytest.raises(DataError, match=f"{which} must hold at least 16"):
        Discriminator(given["real"], given["latents"], train=given["train"])
    with pytest.raises(DataError, match="a label for each latent"):
        Discriminator(torch.randn(20, 2), torch.randn(25, 2), torch.zeros(20, dtype=torch.long))


def everything(*networks: nn.Module) -> list[object]:
    found: list[object] = [torch.get_rng_state().tolist(), torch.is_grad_enabled()]
    for network in networks:
        for tensor in (*network.parameters(), *network.buffers()):
            found += [tensor.detach().numpy().tobytes(), tensor._version, tensor.grad]
        found += [module.training for module in network.modules()]
    return found


@pytest.mark.parametrize("kind", ["batch_norm_and_dropout", "spectral"])
def test_nothing_is_touched(kind: str) -> None:
    if kind == "spectral":
        g, d = mlp(8, 2, width=16, g_norm="batch", d_norm="spectral")
        spectral_norm_(g)
        real = torch.randn(20, 2)
    else:
        g, d = dcgan(8, 16, 1, width=4, g_norm="batch", d_norm="batch", d_dropout=0.3)
        real = torch.randn(20, 1, 16, 16)
    d(g(torch.randn(20, 8)))  # spectral norm's first pass
    probe = Discriminator(real, torch.randn(20, 8), train=real)
    before = everything(g, d)
    first = probe.measure(GameView(g, d, 1))
    second = probe.measure(GameView(g, d, 2))
    assert everything(g, d) == before
    assert first == second
