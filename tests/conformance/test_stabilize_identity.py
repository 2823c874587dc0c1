"""With no finding a stabilized training is the bare loop, bit for bit, whatever the loop looks like."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from conformance.treated import (
    STYLES,
    Style,
    differing,
    hooks_of,
    losses_d,
    losses_g,
    one_optimizer,
    snapshot,
)
from conformance.watched import Patient

import steadygan
from steadygan.monitor import Pilot

STEPS = 6


def one_group() -> Patient:
    """One optimizer, one group: neither player has a rate of its own."""
    p = one_optimizer()
    optimizer = torch.optim.Adam([*p.g.parameters(), *p.d.parameters()], 1e-2)
    p.opt_g = p.opt_d = optimizer

    def iterate(p: Patient, _: object) -> None:
        for loss in (losses_d, losses_g):
            p.d.requires_grad_(loss is losses_d)
            optimizer.zero_grad()
            loss(p).backward()
            optimizer.step()

    p.iterate = iterate
    return p


def stabilized(p: Patient, **settings: Any) -> Pilot:
    settings = {"probe_every": 2, "budget": None, **settings}
    return steadygan.stabilize(
        p.g,
        p.d,
        p.opt_g,
        p.opt_d,
        real=p.real,
        latent=p.latent,
        forward_g=p.forward_g,
        forward_d=p.forward_d,
        **settings,
    )


def trained(style: Style, **settings: Any) -> tuple[list[dict[str, object]], Pilot | None]:
    """All that the training is after each iteration; bare without settings."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  what a loop may draw from
    p = style()
    states = []
    pilot = stabilized(p, **settings) if settings else None
    with nullcontext() if pilot is None else pilot:
        for _ in range(STEPS):
            p.iterate(p, None)
            states.append(snapshot(p))
            if pilot is not None:
                pilot.log(loss_d=0.5)
    states.append(snapshot(p))
    assert hooks_of(p) == 0 or style.__name__ == "scheduled"  # schedulers have hooks of their own
    return states, pilot


@pytest.mark.parametrize("style", [*STYLES, one_group], ids=lambda s: s.__name__)
def test_with_no_finding_not_a_bit_differs(style: Style) -> None:
    bare, _ = trained(style)
    treated, pilot = trained(style, autopilot="on")
    for step, (a, b) in enumerate(zip(bare, treated, strict=True), 1):
        assert not differing(a, b), f"after {step} iterations {differing(a, b)}"
    assert pilot is not None
    assert list(pilot.ledger) == []
    assert pilot.game.snapshots.snapshots  # it was ready to act
    assert "energy_distance" in pilot.record


def test_watching_on_the_budget_it_is_the_same() -> None:
    bare, _ = trained(STYLES[0])
    treated, _ = trained(STYLES[0], budget=0.02, every=3)
    assert not differing(bare[-1], treated[-1])


def test_a_guarded_step_has_no_more_hooks_than_a_watched_one() -> None:
    p = STYLES[0]()
    with steadygan.watch(p.g, p.d, p.opt_g, p.opt_d, real=p.real, latent=p.latent):
        watched = hooks_of(p)
    with stabilized(p) as pilot:
        assert pilot.game.guard.is_on
        assert hooks_of(p) == watched + 1  # D's calls are noted
        for _ in range(STEPS):
            p.iterate(p, None)
        assert hooks_of(p) == watched + 1
        assert not p.d._forward_pre_hooks  # and not the long way
    assert hooks_of(p) == 0
