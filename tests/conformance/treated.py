"""What the tests of actions share: foreign loops of many styles, and a training that can be treated on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from conformance.watched import (
    RINGS,
    Patient,
    adams,
    draw,
    everything,
    make_d,
    make_g,
    update_d,
    update_g,
)
from torch import Tensor, nn

from steadygan.remedies import TreatedGame

Style = Callable[[], Patient]


class Conditional(nn.Module):
    """Takes labels beside its input."""

    def __init__(self, size: int, out: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(3, 4)
        self.body = nn.Sequential(nn.Linear(size + 4, 16), nn.Tanh(), nn.Linear(16, out))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        answer: Tensor = self.body(torch.cat([x, self.embed(y)], dim=1))
        return answer


class Forked(nn.Module):
    """Answers with a tuple: features, and a map of patches."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(2, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.body(x))
        return h, self.head(h)[:, None]


def plain() -> Patient:
    def iterate(p: Patient, _: object) -> None:
        update_d(p)
        update_g(p)

    g, d = make_g(), make_d()
    return Patient(g, d, *adams(g, d), iterate)


def generator_first() -> Patient:
    p = plain()

    def iterate(p: Patient, _: object) -> None:
        update_g(p)
        update_d(p)

    p.iterate = iterate
    return p


def n_critic() -> Patient:
    p = plain()

    def iterate(p: Patient, _: object) -> None:
        for _n in range(5):
            update_d(p)
        update_g(p)

    p.iterate = iterate
    return p


def one_optimizer() -> Patient:
    g, d = make_g(), make_d()
    groups = [{"params": g.parameters(), "lr": 1e-2}, {"params": d.parameters(), "lr": 2e-2}]
    optimizer = torch.optim.AdamW(groups)

    def iterate(p: Patient, _: object) -> None:
        for loss in (losses_d, losses_g):
            p.d.requires_grad_(loss is losses_d)
            optimizer.zero_grad()
            loss(p).backward()
            optimizer.step()

    return Patient(g, d, optimizer, optimizer, iterate)


def one_step_for_both() -> Patient:
    p = one_optimizer()

    def iterate(p: Patient, _: object) -> None:
        p.opt_g.zero_grad()
        d_grads = torch.autograd.grad(losses_d(p), list(p.d.parameters()))
        g_grads = torch.autograd.grad(losses_g(p), list(p.g.parameters()))
        for q, grad in zip(
            [*p.d.parameters(), *p.g.parameters()], [*d_grads, *g_grads], strict=True
        ):
            q.grad = grad
        p.opt_g.step()

    p.iterate = iterate
    return p


def accumulation() -> Patient:
    p = plain()

    def iterate(p: Patient, _: object) -> None:
        for _n in range(3):
            (losses_d(p) / 3).backward()
        p.opt_d.step()
        p.opt_d.zero_grad(set_to_none=False)
        for _n in range(3):
            (losses_g(p) / 3).backward()
        p.opt_g.step()
        p.opt_g.zero_grad()
        p.d.zero_grad()

    p.iterate = iterate
    return p


def momentum_and_decay() -> Patient:
    g, d = make_g(), make_d()
    settings = {"lr": 1e-2, "momentum": 0.9, "weight_decay": 1e-2, "nesterov": True}
    opt_g = torch.optim.SGD(g.parameters(), **settings)
    opt_d = torch.optim.SGD(d.parameters(), **settings)
    p = plain()
    return Patient(g, d, opt_g, opt_d, p.iterate)


def scaler(enabled: bool, fused: bool = False) -> Patient:
    g, d = make_g(), make_d()
    opt_g, opt_d = (torch.optim.Adam(n.parameters(), 1e-2, fused=fused) for n in (g, d))
    scale = torch.amp.GradScaler("cpu", enabled=enabled, init_scale=256.0)

    def iterate(p: Patient, _: object) -> None:
        for optimizer, loss in ((p.opt_d, losses_d), (p.opt_g, losses_g)):
            optimizer.zero_grad()
            scale.scale(loss(p)).backward()
            scale.step(optimizer)
            scale.update()

    return Patient(g, d, opt_g, opt_d, iterate)


def scaler_off() -> Patient:
    return scaler(enabled=False)


def scaler_on() -> Patient:
    return scaler(enabled=True)


def scaler_fused() -> Patient:
    return scaler(enabled=True, fused=True)


def closures() -> Patient:
    def iterate(p: Patient, _: object) -> None:
        for optimizer, loss in ((p.opt_d, losses_d), (p.opt_g, losses_g)):

            def closure(
                optimizer: torch.optim.Optimizer = optimizer,
                loss: Callable[[Patient], Tensor] = loss,
            ) -> Tensor:
                optimizer.zero_grad()
                found = loss(p)
                found.backward()
                return found

            optimizer.step(closure)

    p = plain()
    p.iterate = iterate
    return p


def several_evaluations() -> Patient:
    g, d = make_g(), make_d()
    opt_g, opt_d = (torch.optim.LBFGS(n.parameters(), 1e-2, max_iter=3) for n in (g, d))
    return Patient(g, d, opt_g, opt_d, closures().iterate)


def conditional() -> Patient:
    g, d = Conditional(4, 2), Conditional(2, 1)
    y = torch.arange(600) % 3

    def iterate(p: Patient, _: object) -> None:
        at = torch.randint(600, (16,))
        x, labels, z = RINGS[at], y[at], torch.randn(16, 4)
        p.opt_d.zero_grad()
        fake = p.g(z, labels).detach()
        (F.softplus(-p.d(x, labels)) + F.softplus(p.d(fake, labels))).mean().backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        F.softplus(-p.d(p.g(torch.randn(16, 4), labels), labels)).mean().backward()
        p.opt_g.step()

    return Patient(
        g,
        d,
        *adams(g, d),
        iterate,
        real=(RINGS, y),
        latent=lambda n: (torch.randn(n, 4), torch.randint(3, (n,))),
    )


def tuples_of_patches() -> Patient:
    g, d = make_g(), Forked()

    def iterate(p: Patient, _: object) -> None:
        p.opt_d.zero_grad()
        fake = p.g(torch.randn(16, 4)).detach()
        (F.softplus(-p.d(draw())[1]) + F.softplus(p.d(fake)[1])).mean().backward()
        p.opt_d.step()
        p.opt_g.zero_grad()
        F.softplus(-p.d(p.g(torch.randn(16, 4)))[1]).mean().backward()
        p.opt_g.step()

    return Patient(g, d, *adams(g, d), iterate, forward_d=lambda d, x: d(x)[1].flatten(1))


def scheduled_by_hand() -> Patient:
    p = plain()
    steps = [0]

    def iterate(p: Patient, _: object) -> None:
        steps[0] += 1
        for optimizer in (p.opt_g, p.opt_d):
            for group in optimizer.param_groups:
                group["lr"] = 1e-2 / steps[0]
        update_d(p)
        update_g(p)

    p.iterate = iterate
    return p


def scheduled() -> Patient:
    p = plain()
    schedules = [torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.8) for o in (p.opt_g, p.opt_d)]

    def iterate(p: Patient, _: object) -> None:
        update_d(p)
        update_g(p)
        for schedule in schedules:
            schedule.step()

    p.iterate = iterate
    return p


STYLES: tuple[Style, ...] = (
    plain,
    generator_first,
    n_critic,
    one_optimizer,
    one_step_for_both,
    accumulation,
    momentum_and_decay,
    scaler_off,
    scaler_on,
    scaler_fused,
    closures,
    several_evaluations,
    conditional,
    tuples_of_patches,
    scheduled_by_hand,
    scheduled,
)


def losses_d(p: Patient) -> Tensor:
    fake = p.g(torch.randn(16, 4)).detach()
    return F.softplus(-p.d(draw())).mean() + F.softplus(p.d(fake)).mean()


def losses_g(p: Patient) -> Tensor:
    return F.softplus(-p.d(p.g(torch.randn(16, 4)))).mean()


@dataclass
class Course:
    """A training, and all that it was after each run of some iterations."""

    patient: Patient
    game: TreatedGame
    states: list[dict[str, object]] = field(default_factory=list)

    def run(self, num: int) -> None:
        for _ in range(num):
            self.patient.iterate(self.patient, None)
        self.states.append(snapshot(self.patient))


def begun(style: Style) -> Course:
    """A training at its start, the same each time."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    patient = style()
    return Course(patient, treated(patient))


def treated(p: Patient) -> TreatedGame:
    return TreatedGame(
        p.g,
        p.d,
        p.opt_g,
        p.opt_d,
        real=p.real,
        latent=p.latent,
        forward_g=p.forward_g,
        forward_d=p.forward_d,
    )


def snapshot(p: Patient) -> dict[str, object]:
    """Everything but how often a tensor was written: what is undone was written twice."""
    return {name: value for name, value in everything(p) if not name.endswith("writes")}


def differing(a: dict[str, object], b: dict[str, object]) -> list[str]:
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))


def hooks_of(p: Patient) -> int:
    """How many hooks are on the networks and the optimizers."""
    kinds = ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks", "_backward_pre_hooks")
    modules = [m for network in (p.g, p.d) for m in network.modules()]
    on_modules = sum(len(getattr(m, kind)) for m in modules for kind in kinds)
    on_modules += sum("_compiled_call_impl" in vars(m) for m in modules)
    on_weights = sum(
        len(q._backward_hooks or ()) for network in (p.g, p.d) for q in network.parameters()
    )
    optimizers = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
    on_optimizers = sum(len(getattr(o, kind)) for o in (p.opt_g, p.opt_d) for kind in optimizers)
    return on_modules + on_weights + on_optimizers
