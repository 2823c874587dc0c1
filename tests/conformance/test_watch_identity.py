"""Measuring is an identity: every style of loop trains bit for bit the same with and without the monitor."""

import copy

import pytest
import torch
import torch.nn.functional as F
from conformance.watched import (
    RINGS,
    STEPS,
    Make,
    Patient,
    adams,
    check_identity,
    check_measured,
    check_replay,
    d_loss,
    make_d,
    make_g,
    standard,
    train,
    update_d,
    update_g,
)
from torch import Tensor, nn

from steadygan import watch
from steadygan.monitor import Monitor


class Labelled(nn.Module):
    """Takes labels beside its input."""

    def __init__(self, size: int, out: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(3, 4)
        self.body = nn.Sequential(nn.Linear(size + 4, 16), nn.Tanh(), nn.Linear(16, out))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        answer: Tensor = self.body(torch.cat([x, self.embed(y)], dim=1))
        return answer


class Forked(nn.Module):
    """Returns its logits in a tuple, and features beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(2, 16), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.body(x))
        return self.head(h), h


class Patches(nn.Module):
    """Judges each place of an image on its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(1, 1, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.body(x)
        return answer


def discriminator_first() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_d(p)
        update_g(p)

    return standard(iterate)


def generator_first() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_g(p)
        update_d(p)

    return standard(iterate)


def logged() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        losses = {"loss_d": update_d(p), "loss_g": update_g(p)}
        if monitor is not None:
            monitor.log(**losses)

    return standard(iterate)


def three_critic_steps_logged_each() -> Patient:
    """Logged once a batch: rows are batches then, and two of three have no step of G."""

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        for step in range(3):
            loss = update_d(p)
            if step == 2:
                update_g(p)
            if monitor is not None:
                monitor.log(loss_d=loss)

    return standard(iterate, rows=3 * STEPS)


def five_critic_steps() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        for _ in range(5):
            update_d(p)
        update_g(p)

    return standard(iterate)


def zero_grad_after_and_in_place() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x, z = RINGS[torch.randint(len(RINGS), (16,))], torch.randn(16, 4)
        d_loss(p, x, p.g(z)).backward()
        p.opt_d.step()
        p.d.zero_grad(set_to_none=False)
        F.softplus(-p.d(p.g(z))).mean().backward()
        p.opt_g.step()
        p.g.zero_grad(set_to_none=False)
        p.d.zero_grad(set_to_none=False)

    return standard(iterate)


def accumulated() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.opt_d.zero_grad()
        for _ in range(3):
            x = RINGS[torch.randint(len(RINGS), (16,))]
            (d_loss(p, x, p.g(torch.randn(16, 4))) / 3).backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        for _ in range(3):
            (F.softplus(-p.d(p.g(torch.randn(16, 4)))).mean() / 3).backward()
        p.opt_g.step()

    return standard(iterate)


def graph_alive_over_both_steps() -> Patient:
    """The generator's graph is made before D steps: a write into a buffer in between would be refused."""

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        fake = p.g(torch.randn(16, 4))
        later = F.mse_loss(p.g(torch.randn(16, 4)), fake)
        update_d(p)
        p.opt_g.zero_grad()
        later.backward()
        p.opt_g.step()

    return standard(iterate)


def one_optimizer_alternating() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_d(p)
        update_g(p)

    g, d = make_g(), make_d()
    both = torch.optim.Adam([{"params": g.parameters(), "lr": 1e-3}, {"params": d.parameters()}])
    return Patient(g, d, both, both, iterate)


def one_optimizer_simultaneous() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x, fake = RINGS[torch.randint(len(RINGS), (16,))], p.g(torch.randn(16, 4))
        p.opt_g.zero_grad()
        (d_loss(p, x, fake) + F.softplus(-p.d(fake)).mean()).backward()
        p.opt_g.step()

    g, d = make_g(), make_d()
    both = torch.optim.SGD([{"params": g.parameters()}, {"params": d.parameters()}], lr=1e-2)
    return Patient(g, d, both, both, iterate)


def scaled(fused: bool) -> Patient:
    """Mixed precision as it is written for accelerators, with an overflow that the scaler skips."""
    g, d = make_g(), make_d()
    opt_g = torch.optim.Adam(g.parameters(), 1e-2, fused=fused)
    opt_d = torch.optim.Adam(d.parameters(), 1e-2, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    overflowing = iter([1.0, 1.0, float("inf"), *[1.0] * STEPS])

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x = RINGS[torch.randint(len(RINGS), (16,))]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss_d = d_loss(p, x, p.g(torch.randn(16, 4)))
        p.opt_d.zero_grad()
        scaler.scale(loss_d).backward()
        scaler.step(p.opt_d)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss_g = F.softplus(-p.d(p.g(torch.randn(16, 4)))).mean()
        p.opt_g.zero_grad()
        scaler.scale(loss_g * next(overflowing)).backward()
        scaler.step(p.opt_g)
        scaler.update()
        if monitor is not None:
            monitor.log(loss_d=loss_d, loss_g=loss_g)

    return Patient(g, d, opt_g, opt_d, iterate)


def grad_scaler() -> Patient:
    return scaled(fused=False)


def grad_scaler_fused() -> Patient:
    return scaled(fused=True)


def frozen_layers() -> Patient:
    patient = discriminator_first()
    patient.g[0].requires_grad_(False)
    patient.d[3].requires_grad_(False)
    return patient


def tuple_of_logits() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        inner, p.d = p.d, (lambda x: inner(x)[0])
        update_d(p)
        update_g(p)
        p.d = inner

    g, d = make_g(), Forked()
    return Patient(g, d, *adams(g, d), iterate)


def patch_logits() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x = torch.rand(8, 1, 8, 8)
        p.opt_d.zero_grad()
        d_loss(p, x, p.g(torch.randn(8, 4))).backward()
        p.opt_d.step()
        update_g(p)

    g, d = nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, (1, 8, 8)), nn.BatchNorm2d(1)), Patches()
    return Patient(g, d, *adams(g, d), iterate, real=torch.rand(64, 1, 8, 8))


def labels_as_tuples() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x, y = RINGS[torch.randint(len(RINGS), (16,))], torch.randint(3, (16,))
        fake = p.g(torch.randn(16, 4), y)
        p.opt_d.zero_grad()
        (F.softplus(-p.d(x, y)) + F.softplus(p.d(fake.detach(), y))).mean().backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        F.softplus(-p.d(fake, y)).mean().backward()
        p.opt_g.step()

    g, d = Labelled(4, 2), Labelled(2, 1)
    y = torch.arange(len(RINGS)) % 3
    latent = lambda n: (torch.randn(n, 4), torch.randint(3, (n,)))  # noqa: E731  as users write it
    return Patient(g, d, *adams(g, d), iterate, real=(RINGS, y), latent=latent)


def compiled_wrapper() -> Patient:
    """As torch.compile wraps a module; compiling itself takes longer than all other tests."""

    class Optimised(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self._orig_mod = inner

        def forward(self, x: Tensor) -> Tensor:
            assert torch.is_grad_enabled(), "a probe came through the wrapper"
            answer: Tensor = self._orig_mod(x)
            return answer

    patient = discriminator_first()
    patient.g, patient.d = Optimised(patient.g), Optimised(patient.d)
    return patient


def closures() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        def loss(player: str) -> Tensor:
            x, fake = RINGS[torch.randint(len(RINGS), (16,))], p.g(torch.randn(16, 4))
            (p.opt_d if player == "d" else p.opt_g).zero_grad()
            value = d_loss(p, x, fake) if player == "d" else F.softplus(-p.d(fake)).mean()
            value.backward()
            return value

        p.opt_d.step(lambda: loss("d"))
        p.opt_g.step(lambda: loss("g"))

    return standard(iterate)


def evaluation_mode_and_scheduler() -> Patient:
    patient = standard(lambda p, monitor: None)
    rates = torch.optim.lr_scheduler.ExponentialLR(patient.opt_g, 0.9)

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.d.eval()
        update_d(p)
        update_g(p)
        rates.step()

    patient.iterate = iterate
    return patient


STYLES = [
    discriminator_first,
    generator_first,
    logged,
    three_critic_steps_logged_each,
    five_critic_steps,
    zero_grad_after_and_in_place,
    accumulated,
    graph_alive_over_both_steps,
    one_optimizer_alternating,
    one_optimizer_simultaneous,
    grad_scaler,
    grad_scaler_fused,
    frozen_layers,
    tuple_of_logits,
    patch_logits,
    labels_as_tuples,
    compiled_wrapper,
    closures,
    evaluation_mode_and_scheduler,
]
styles = pytest.mark.parametrize("make", STYLES, ids=lambda f: f.__name__)


@styles
def test_training_is_bitwise_the_same(make: Make) -> None:
    check_identity(make)


@styles
def test_it_measured_what_it_says(make: Make) -> None:
    _, monitor = train(make, watched=True)
    assert monitor is not None
    check_measured(monitor, make().rows)
    check_replay(monitor)


def test_a_deep_copy_of_the_optimizer_is_not_watched() -> None:
    patient = discriminator_first()
    with watch(
        patient.g, patient.d, patient.opt_g, patient.opt_d, real=RINGS, latent=patient.latent
    ) as monitor:
        other = copy.deepcopy(patient.opt_g)
        update_g(patient)
        other.step()
    assert monitor.step == 1


def test_overflows_under_a_scaler_are_no_finding() -> None:
    for make in (grad_scaler, grad_scaler_fused):
        _, monitor = train(make, watched=True)
        assert monitor is not None
        kinds = {f.kind for f in monitor.diagnosis().findings if f.severity == "critical"}
        assert "non_finite" not in kinds, make.__name__
