"""Optimizers as people use them: closures, schedulers, states loaded in between, implementations of Adam."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from conformance.watched import (
    Make,
    Patient,
    check_all,
    d_loss,
    draw,
    g_loss,
    make_d,
    make_g,
    standard,
    update_both,
)
from torch import Tensor, nn

from steadygan.monitor import Monitor

Loss = Callable[[], Tensor]


class SharpnessAware(torch.optim.Optimizer):
    """Two evaluations a step: at the weights and at their worst neighbour, as SAM is usually written."""

    def __init__(self, parameters: Any, base: type[torch.optim.Optimizer], **settings: Any) -> None:
        super().__init__(parameters, settings)
        self.base_optimizer = base(self.param_groups, **settings)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        closure = torch.enable_grad()(closure)
        closure()
        moved = []
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    away = 0.05 * p.grad / (p.grad.norm() + 1e-12)
                    p.add_(away)
                    moved.append((p, away))
        closure()
        for p, away in moved:
            p.sub_(away)
        self.base_optimizer.step()


def with_optimizers(make: Callable[[Any], torch.optim.Optimizer]) -> Make:
    def patient() -> Patient:
        g, d = make_g(), make_d()
        return Patient(g, d, make(g.parameters()), make(d.parameters()), update_both)

    return patient


def with_closures(make: Callable[[Any], torch.optim.Optimizer]) -> Make:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        x = draw()

        def descend(optimizer: torch.optim.Optimizer, loss: Loss) -> None:
            def closure() -> Tensor:
                optimizer.zero_grad()
                value = loss()
                value.backward()
                return value

            optimizer.step(closure)

        descend(p.opt_d, lambda: d_loss(p, x, p.g(torch.randn(16, 4))))
        descend(p.opt_g, lambda: g_loss(p))

    def patient() -> Patient:
        g, d = make_g(), make_d()
        return Patient(g, d, make(g.parameters()), make(d.parameters()), iterate)

    return patient


def ascending() -> Patient:
    """The same sign in both losses: D climbs what G descends."""

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        for optimizer in (p.opt_d, p.opt_g):
            optimizer.zero_grad()
            fake = p.g(torch.randn(16, 4))
            (F.logsigmoid(p.d(draw())) + F.logsigmoid(-p.d(fake))).mean().backward()
            optimizer.step()

    g, d = make_g(), make_d()
    return Patient(
        g,
        d,
        torch.optim.Adam(g.parameters(), 1e-2),
        torch.optim.Adam(d.parameters(), 1e-2, maximize=True),
        iterate,
    )


def rate_as_a_tensor() -> Patient:
    patient = with_optimizers(
        lambda params: torch.optim.Adam(params, torch.tensor(1e-2), foreach=False)
    )()
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(patient.opt_g, 10)

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_both(p, monitor)
        rates.step()

    patient.iterate = iterate
    return patient


def several_schedulers() -> Patient:
    patient = standard()
    schedulers = [
        torch.optim.lr_scheduler.OneCycleLR(patient.opt_d, 1e-2, total_steps=20),
        torch.optim.lr_scheduler.SequentialLR(
            patient.opt_g,
            [
                torch.optim.lr_scheduler.LinearLR(patient.opt_g, 0.1, total_iters=2),
                torch.optim.lr_scheduler.ExponentialLR(patient.opt_g, 0.9),
            ],
            milestones=[2],
        ),
    ]

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_both(p, monitor)
        for scheduler in schedulers:
            scheduler.step()

    patient.iterate = iterate
    return patient


def state_loaded_in_between() -> Patient:
    patient = standard()
    kept: list[Any] = []

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        update_both(p, monitor)
        state = {name: getattr(p, name).state_dict() for name in ("g", "d", "opt_g", "opt_d")}
        kept.append(copy.deepcopy(state))
        if len(kept) == 4:
            for name, saved in kept[1].items():
                getattr(p, name).load_state_dict(saved)

    patient.iterate = iterate
    return patient


def group_added_later() -> Patient:
    """A layer thawed in the middle of the run."""
    patient = standard()
    patient.opt_g = torch.optim.Adam(patient.g[0].parameters(), 1e-2)
    iterations = iter(range(100))

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        if next(iterations) == 3:
            p.opt_g.add_param_group({"params": p.g[3].parameters(), "lr": 1e-3})
        update_both(p, monitor)

    patient.iterate = iterate
    return patient


def clipped_weights() -> Patient:
    def iterate(p: Patient, monitor: Monitor | None) -> None:
        for _ in range(2):
            p.opt_d.zero_grad()
            (p.d(p.g(torch.randn(16, 4)).detach()).mean() - p.d(draw()).mean()).backward()
            torch.nn.utils.clip_grad_norm_(p.d.parameters(), 0.5)
            p.opt_d.step()
            for parameter in p.d.parameters():
                parameter.data.clamp_(-0.01, 0.01)
        p.opt_g.zero_grad()
        (-p.d(p.g(torch.randn(16, 4))).mean()).backward()
        torch.nn.utils.clip_grad_value_(p.g.parameters(), 0.1)
        p.opt_g.step()

    g, d = make_g(), nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
    return Patient(
        g,
        d,
        torch.optim.RMSprop(g.parameters(), 5e-3),
        torch.optim.RMSprop(d.parameters(), 5e-3),
        iterate,
    )


STYLES: dict[str, Make] = {
    "lbfgs": with_closures(lambda params: torch.optim.LBFGS(params, lr=0.1, max_iter=3)),
    "sharpness_aware": with_closures(
        lambda params: SharpnessAware(params, torch.optim.SGD, lr=1e-2)
    ),
    "foreach": with_optimizers(lambda params: torch.optim.Adam(params, 1e-2, foreach=True)),
    "fused": with_optimizers(lambda params: torch.optim.AdamW(params, 1e-2, fused=True)),
    "amsgrad": with_optimizers(
        lambda params: torch.optim.Adam(params, 1e-2, amsgrad=True, weight_decay=1e-2)
    ),
    "nesterov": with_optimizers(
        lambda params: torch.optim.SGD(params, 1e-2, momentum=0.9, nesterov=True)
    ),
    "adafactor": with_optimizers(lambda params: torch.optim.Adafactor(params)),
    "ascending": ascending,
    "rate_as_a_tensor": rate_as_a_tensor,
    "several_schedulers": several_schedulers,
    "state_loaded_in_between": state_loaded_in_between,
    "group_added_later": group_added_later,
    "clipped_weights": clipped_weights,
}


@pytest.mark.parametrize("make", STYLES.values(), ids=STYLES.keys())
def test_it_is_watched_and_left_alone(make: Make) -> None:
    check_all(make)
