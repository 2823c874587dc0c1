"""Networks as people write them: norms of every kind, several outputs, checkpointing, other precisions."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from conformance.watched import (
    RINGS,
    Iterate,
    Make,
    Patient,
    adams,
    check_all,
    d_loss,
    draw,
    make_d,
    make_g,
    standard,
    update_both,
    update_d,
    update_g,
)
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from steadygan.monitor import Monitor

f64, f32, bf16 = torch.float64, torch.float32, torch.bfloat16


def of(g: nn.Module, d: nn.Module, iterate: Iterate = update_both) -> Patient:
    return Patient(g, d, *adams(g, d), iterate)


def descents(*networks: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.SGD(network.parameters(), 1e-2) for network in networks]


def normalised_weights() -> Patient:
    d = nn.Sequential(
        *(parametrizations.weight_norm(nn.Linear(2, 16)), nn.ReLU()),
        *(parametrizations.orthogonal(nn.Linear(16, 16)), nn.LayerNorm(16)),
        nn.Linear(16, 1),
    )
    return of(make_g(), d)


def normalised_images() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.opt_d.zero_grad()
        d_loss(p, torch.rand(8, 1, 8, 8), p.g(torch.randn(8, 4))).backward()
        p.opt_d.step()
        update_g(p)

    g = nn.Sequential(
        *(nn.Linear(4, 64), nn.Unflatten(1, (4, 4, 4))),
        *(nn.InstanceNorm2d(4, affine=True, track_running_stats=True), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.GroupNorm(2, 4), nn.Conv2d(4, 1, 3, padding=1)),
        nn.BatchNorm2d(1, track_running_stats=False),
    )
    d = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.LeakyReLU(0.2, inplace=True)),
        *(nn.Dropout2d(0.3), nn.Conv2d(8, 1, 3), nn.Sigmoid()),
    )
    patient = of(g, d, iterate)
    patient.real = torch.rand(64, 1, 8, 8)
    return patient


class Mapped(nn.Module):
    """Gives its samples and what they were made from, and keeps a running mean of that."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping, self.out = nn.Linear(4, 16), nn.Linear(16, 2)
        self.register_buffer("mean", torch.zeros(16))
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> dict[str, Tensor]:
        w = torch.tanh(self.mapping(z))
        if self.training:
            self.mean.copy_(w.detach().mean(0).lerp(self.mean, 0.9))
        return {"x": self.out(w + self.strength * torch.randn_like(w)), "w": w}


def two_outputs() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.opt_d.zero_grad()
        d_loss(p, draw(), p.g(torch.randn(16, 4))["x"]).backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        F.softplus(-p.d(p.g(torch.randn(16, 4))["x"])).mean().backward()
        p.opt_g.step()

    return of(Mapped(), make_d(), iterate)


class Tall(nn.Module):
    """Gives the features of all layers, the logit first."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 1)])

    def forward(self, x: Tensor) -> list[Tensor]:
        features = [x]
        for layer in self.layers:
            features.append(layer(F.leaky_relu(features[-1], 0.2)))
        return features[:0:-1]


def matched_features() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x, fake = draw(), p.g(torch.randn(16, 4))
        p.opt_d.zero_grad()
        (F.softplus(-p.d(x)[0]) + F.softplus(p.d(fake.detach())[0])).mean().backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        pairs = zip(p.d(x), p.d(fake), strict=True)
        sum(F.l1_loss(b, a.detach()) for a, b in pairs).backward()
        p.opt_g.step()

    return of(make_g(), Tall(), iterate)


class Checkpointed(nn.Module):
    """Computes its first layers again in the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2, 16), nn.Dropout(0.2), nn.Tanh())
        self.last = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.last(checkpoint(self.first, x, use_reentrant=False))
        return answer


def penalised_slope() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x = draw().requires_grad_()
        p.opt_d.zero_grad(set_to_none=True)
        logits = p.d(x)
        (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
        loss = F.softplus(-logits).mean() + slope.square().sum(1).mean()
        (loss + F.softplus(p.d(p.g(torch.randn(16, 4)).detach())).mean()).backward()
        p.opt_d.step()
        update_g(p)

    d = nn.Sequential(nn.Linear(2, 16), nn.Softplus(), nn.Linear(16, 1))
    return of(make_g(), d, iterate)


class Recurrent(nn.Module):
    """Reads a point three times."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.out = nn.GRU(2, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.rnn(x[:, None].expand(-1, 3, -1))
        answer: Tensor = self.out(states[:, -1])
        return answer


class Sampler(nn.Module):
    """Has no forward pass of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.net = make_g()

    def sample(self, z: Tensor) -> Tensor:
        answer: Tensor = self.net(z)
        return answer


def sampled_by_a_method() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.opt_d.zero_grad()
        d_loss(p, draw(), p.g.sample(torch.randn(16, 4))).backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        F.softplus(-p.d(p.g.sample(torch.randn(16, 4)))).mean().backward()
        p.opt_g.step()

    patient = of(Sampler(), make_d(), iterate)
    patient.forward_g = lambda g, z: g.sample(z)
    return patient


def averaged_weights() -> Patient:
    patient = standard()
    average = torch.optim.swa_utils.AveragedModel(
        patient.g, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9), use_buffers=True
    )

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_both(p, monitor)
        average.update_parameters(p.g)
        with torch.no_grad():  # the weights in training follow their average a little
            for mean, own in zip(average.module.parameters(), p.g.parameters(), strict=True):
                own.lerp_(mean, 0.1)

    patient.iterate = iterate
    return patient


def tied_weights() -> Patient:
    g = nn.Sequential(
        nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)
    )
    g[2].weight = g[0].weight
    return of(g, make_d())


def in_precision(of_g: torch.dtype, of_d: torch.dtype) -> Make:
    def patient() -> Patient:
        def iterate(p: Patient, monitor: Monitor | None) -> None:
            x, z = draw().to(of_d), torch.randn(16, 4).to(of_g)
            p.opt_d.zero_grad()
            d_loss(p, x, p.g(z).to(of_d)).backward()
            p.opt_d.step()
            p.opt_g.zero_grad()
            F.softplus(-p.d(p.g(z).to(of_d))).mean().backward()
            p.opt_g.step()

        g = make_g().to(of_g)
        d = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)).to(of_d)
        opt_g, opt_d = descents(g, d)
        return Patient(
            *(g, d, opt_g, opt_d, iterate),
            real=RINGS.to(of_d),
            latent=lambda n: torch.randn(n, 4).to(of_g),
            forward_d=lambda d, x: d(x.to(of_d)),
        )

    return patient


class Mixed(nn.Module):
    """Its layers differ in precision."""

    def __init__(self, first: torch.dtype, last: torch.dtype, size: int, out: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(size, 16).to(first), nn.Linear(16, out).to(last)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x.to(self.first.weight.dtype)))
        answer: Tensor = self.last(h.to(self.last.weight.dtype)).float()
        return answer


def mixed_precision(first: torch.dtype, last: torch.dtype) -> Make:
    def patient() -> Patient:
        g, d = Mixed(first, last, 4, 2), Mixed(last, first, 2, 1)
        opt_g, opt_d = descents(g, d)
        return Patient(g, d, opt_g, opt_d, update_both)

    return patient


STYLES: dict[str, Callable[[], Patient]] = {
    "normalised_weights": normalised_weights,
    "normalised_images": normalised_images,
    "two_outputs": two_outputs,
    "matched_features": matched_features,
    "checkpointed": lambda: of(make_g(), Checkpointed()),
    "penalised_slope": penalised_slope,
    "recurrent": lambda: of(make_g(), Recurrent()),
    "sampled_by_a_method": sampled_by_a_method,
    "averaged_weights": averaged_weights,
    "tied_weights": tied_weights,
    "float64": in_precision(f64, f64),
    "bfloat16": in_precision(bf16, bf16),
    "bfloat16 against float32": in_precision(bf16, f32),
    "float32 against float64": in_precision(f32, f64),
    "float64 in float32": mixed_precision(f64, f32),
    "float16 in float32": mixed_precision(f32, torch.float16),
}


@pytest.mark.parametrize("make", STYLES.values(), ids=STYLES.keys())
def test_it_is_watched_and_left_alone(make: Make) -> None:
    check_all(make)


def test_the_graph_of_a_step_survives_a_probe() -> None:
    """In loops where G steps first a probe runs between a backward pass and its step."""

    def make() -> Patient:
        def iterate(p: Patient, monitor: Monitor | None) -> None:
            x = draw()
            kept = d_loss(p, x, p.g(torch.randn(16, 4)))
            update_g(p)
            p.opt_d.zero_grad()
            kept.backward(retain_graph=True)
            p.opt_d.step()
            update_d(p)

        d = nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
        return of(make_g(), d, iterate)

    check_all(make)
