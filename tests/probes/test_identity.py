"""Measuring is an identity: every probe leaves the game bit for bit as it was."""

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from steadygan.networks import dcgan, mlp
from steadygan.networks.layers.spectral import spectral_norm_
from steadygan.probes import Discriminator, GameView, Memory, Probe, SampleSpace

MakeGame = Callable[[], tuple[nn.Module, nn.Module, tuple[int, ...]]]


def plain() -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    return *mlp(8, 2, width=16), (2,)


def batch_norm_and_dropout() -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    g, d = dcgan(8, 16, 1, width=4, g_norm="batch", d_norm="batch", d_dropout=0.3)
    return nn.Sequential(nn.Dropout(0.2), g), d, (1, 16, 16)


def spectral_norm() -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    """Spectral norm writes its vectors into buffers in place on each forward pass."""
    g, d = mlp(8, 2, width=16, g_norm="batch", d_norm="spectral")
    spectral_norm_(g)
    return g, d, (2,)


class Noisy(nn.Module):
    """Draws from the global generator in its forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 2)

    def forward(self, z: Tensor) -> Tensor:
        noise: Tensor = self.linear(z) + torch.randn(len(z), 2)
        return noise


def noisy() -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    return Noisy(), mlp(8, 2, width=16).d, (2,)


games = pytest.mark.parametrize(
    "make", [plain, batch_norm_and_dropout, spectral_norm, noisy], ids=lambda f: f.__name__
)


def sample_space(real: Tensor, z: Tensor) -> Probe:
    return SampleSpace(real, z)


def discriminator(real: Tensor, z: Tensor) -> Probe:
    return Discriminator(real[:32], z, validation=real[32:])


def memory(real: Tensor, z: Tensor) -> Probe:
    return Memory(real[:32], real[32:], z)


MakeProbe = Callable[[Tensor, Tensor], Probe]
probes = pytest.mark.parametrize(
    "make_probe", [sample_space, discriminator, memory], ids=lambda f: f.__name__
)


def probe_for(make_probe: MakeProbe, event: tuple[int, ...]) -> Probe:
    generator = torch.Generator().manual_seed(5)
    real = torch.randn(64, *event, generator=generator).tanh()
    return make_probe(real, torch.randn(32, 8, generator=generator))


def everything(g: nn.Module, d: nn.Module) -> Iterator[tuple[str, object]]:
    """Values, gradients, versions (each write in place counts) and flags; then torch's generator."""
    for player, network in (("g", g), ("d", d)):
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            yield f"{player}.{name}", tensor.detach().numpy().tobytes()
            yield f"{player}.{name} writes", tensor._version
            yield f"{player}.{name} identity", id(tensor)
            grad = tensor.grad
            yield f"{player}.{name} grad", None if grad is None else grad.numpy().tobytes()
        for name, module in network.named_modules():
            yield f"{player}.{name} training", module.training
    yield "torch", torch.get_rng_state().numpy().tobytes()


def train_step(
    g: nn.Module, d: nn.Module, optimizer: torch.optim.Optimizer, event: tuple[int, ...]
) -> None:
    x, z = torch.randn(16, *event), torch.randn(16, 8)
    loss = F.softplus(-d(x)).mean() + F.softplus(d(g(z))).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@games
@probes
@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_touched(make: MakeGame, make_probe: MakeProbe, training: bool) -> None:
    g, d, event = make()
    optimizer = torch.optim.Adam([*g.parameters(), *d.parameters()], 1e-3)
    train_step(g, d, optimizer, event)
    g.train(training)
    before = dict(everything(g, d))
    probe = probe_for(make_probe, event)
    for step in range(2):
        probe.measure(GameView(g, d, step))
        assert torch.is_grad_enabled()
    after = dict(everything(g, d))
    assert [name for name in before if before[name] != after[name]] == []


@games
@probes
def test_training_with_a_probe_is_training_without(make: MakeGame, make_probe: MakeProbe) -> None:
    def weights(*, probed: bool) -> dict[str, object]:
        torch.manual_seed(3)
        g, d, event = make()
        optimizer = torch.optim.Adam([*g.parameters(), *d.parameters()], 1e-3)
        probe = probe_for(make_probe, event)
        for step in range(6):
            train_step(g, d, optimizer, event)
            if probed:
                probe.measure(GameView(g, d, step))
        return {name: value for name, value in everything(g, d) if "identity" not in name}

    assert weights(probed=True) == weights(probed=False)


@games
@probes
def test_the_same_state_gives_the_same_numbers(make: MakeGame, make_probe: MakeProbe) -> None:
    """Noise and dropout do not move the signals: only the network does."""
    g, d, event = make()
    probe = probe_for(make_probe, event)
    first = probe.measure(GameView(g, d, 1))
    torch.manual_seed(77)
    second = probe.measure(GameView(g, d, 2))
    assert float(second.pop("fixed_z_drift", 0.0)) == 0.0
    assert second == first
