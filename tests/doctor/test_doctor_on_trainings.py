"""Short real trainings of plain PyTorch loops: an induced collapse is found, a healthy run is not accused."""

import functools
import json

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from steadygan.data import Ring
from steadygan.doctor import Diagnosis, Doctor, examine
from steadygan.metrics import mode_coverage
from steadygan.networks import mlp
from steadygan.probes import GameView, SampleSpace

RING = Ring(std=0.05)
PROBE_EVERY = 25


@functools.cache
def train(
    steps: int, *, seed: int = 0, rate: float = 1e-3, pulled_from: int = 0
) -> tuple[tuple[dict[str, float], ...], tuple[tuple[int, float], ...]]:
    """The record's rows, and what an oracle that knows the modes says: (step, reverse KL).

    From step ``pulled_from`` on G's loss has a bug: it also pulls every sample towards one real.
    """
    torch.manual_seed(seed)
    g, d = mlp(8, 2, width=64)
    g_moves = torch.optim.Adam(g.parameters(), rate, betas=(0.0, 0.99))
    d_moves = torch.optim.Adam(d.parameters(), rate, betas=(0.0, 0.99))
    probe = SampleSpace(RING.reference(512, seed=1)[0], torch.randn(256, 8))
    pool = RING.draw(0, 4096, seed=seed)[0]
    rows: list[dict[str, float]] = []
    oracle: list[tuple[int, float]] = []
    for step in range(1, steps + 1):
        pull = pool[:1] if 0 < pulled_from <= step else None
        row = step_once(g, d, g_moves, d_moves, pool[torch.randint(len(pool), (64,))], pull)
        if step % PROBE_EVERY == 0:
            row |= {n: float(v) for n, v in probe.measure(GameView(g, d, step)).items()}
            with torch.no_grad():
                samples = RING.to_data(g(torch.randn(1000, 8)))
            oracle.append((step, mode_coverage(samples, RING.centres, RING.std).reverse_kl))
        rows.append({"step": step, **row})
    return tuple(rows), tuple(oracle)


def step_once(
    g: nn.Module,
    d: nn.Module,
    g_moves: torch.optim.Optimizer,
    d_moves: torch.optim.Optimizer,
    x: Tensor,
    pull: Tensor | None,
) -> dict[str, float]:
    x = x.clone().requires_grad_()
    real, fake = d(x), d(g(torch.randn(64, 8)).detach())
    loss_d = (F.softplus(-real) + F.softplus(fake)).mean()
    (slope,) = torch.autograd.grad(real.sum(), x, create_graph=True)
    penalty = 0.5 * slope.square().sum(1).mean()
    d_moves.zero_grad()
    (loss_d + 0.1 * penalty).backward()
    d_norm = norm(d)
    d_moves.step()
    y = g(torch.randn(64, 8))
    loss_g = F.softplus(-d(y)).mean()
    if pull is not None:
        loss_g = loss_g + 10 * (y - pull).square().mean()
    g_moves.zero_grad()
    loss_g.backward()
    g_norm = norm(g)
    g_moves.step()
    row = {
        "loss_d": loss_d,
        "loss_g": loss_g,
        "logit_real": real.mean(),
        "logit_fake": fake.mean(),
        "grad_norm_g": g_norm,
        "grad_norm_d": d_norm,
        "r1": penalty,
    }
    rates = {"lr_g": g_moves.param_groups[0]["lr"], "lr_d": d_moves.param_groups[0]["lr"]}
    return {name: value.item() for name, value in row.items()} | rates


def norm(network: nn.Module) -> Tensor:
    return torch.stack([p.grad.norm() for p in network.parameters() if p.grad is not None]).norm()


def critical(diagnosis: Diagnosis) -> list[str]:
    return [f.kind for f in diagnosis.findings if f.severity == "critical"]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_healthy_run_is_not_accused(seed: int) -> None:
    rows, oracle = train(600, seed=seed)
    assert oracle[-1][1] < 0.3, "the oracle disagrees: this run is no healthy control"
    diagnosis = examine(rows)
    assert critical(diagnosis) == []
    assert diagnosis.verdict == "healthy"


@pytest.mark.parametrize("seed", [0, 1])
def test_an_induced_collapse_is_found_where_it_began(seed: int) -> None:
    rows, oracle = train(450, seed=seed, pulled_from=250)
    bad = [step for step, reverse_kl in oracle if reverse_kl > 0.69]
    onset = next(s for s in bad if s >= 250 and s + PROBE_EVERY in bad)
    diagnosis = examine(rows)
    (found,) = (f for f in diagnosis.findings if f.kind == "mode_collapse")
    assert (found.severity, found.resolved) == ("critical", None)
    assert abs(found.step - onset) <= 2 * PROBE_EVERY
    assert "raise_r1_weight" in found.remedies
    assert all(f.step >= 250 for f in diagnosis.findings if f.severity == "critical")


def test_without_probes_collapse_is_not_assessed() -> None:
    """A log of losses: no word on diversity, in either direction."""
    rows, _ = train(450, pulled_from=250)
    diagnosis = examine(
        [{name: row[name] for name in ("step", "loss_d", "loss_g")} for row in rows]
    )
    assert diagnosis.findings == ()
    assert diagnosis.not_assessed["mode_collapse"].startswith("not recorded: coverage")


def test_live_and_replay_agree_at_every_step() -> None:
    rows, _ = train(450, pulled_from=250)
    live = Doctor()
    for number, row in enumerate(rows, 1):
        live.update(row)
        if number % 50 == 0:
            assert examine(rows[:number]) == live.diagnosis()
    assert json.loads(live.diagnosis().to_json())["verdict"] == "failing"
