"""Development trainings for the doctor: healthy ones and induced failures, with an oracle it never sees.

Run as a script to record all of them: ``python tests/behaviour/doctor_cases.py FOLDER SEED...``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from steadygan.data import Digits, Grid, Ring
from steadygan.game import Game
from steadygan.metrics import mode_count, mode_coverage
from steadygan.metrics.distances import distances
from steadygan.networks import Pair, mlp
from steadygan.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    Wasserstein,
)
from steadygan.penalties import R1, R2, WGANGP, Penalty
from steadygan.probes import Discriminator, GameView, Memory, SampleSpace
from steadygan.types import Batch
from steadygan.updates import Alternating

LATENT, BATCH, PROBE_EVERY, NUM = 8, 64, 20, 256
Change = Callable[[Game, Alternating], None]
Outcome = Literal["healthy", "failing", "unlabelled"]
Row = dict[str, float]


@dataclass(frozen=True)
class World:
    """Data the networks see, and an oracle: samples -> (modes' share, high quality, reverse KL)."""

    draw: Callable[[int, int], Tensor]
    event: tuple[int, ...]
    judge: Callable[[Tensor], tuple[float, float, float]]


@dataclass(frozen=True)
class Case:
    """One way to train, and the kinds of finding that would be right if the oracle says it failed."""

    objective: Objective
    penalties: tuple[Penalty, ...] = ()
    kinds: frozenset[str] = frozenset()
    data: Literal["ring", "grid", "digits"] = "ring"
    lr_g: float = 2e-3
    lr_d: float = 2e-3
    beta: float = 0.0
    d_steps: int = 1
    d_norm: Literal["none", "spectral"] = "none"
    width: int = 64
    pool: int = 8192
    steps: int = 1000
    at: int = 500
    change: Change | None = None
    break_wiring: Change | None = None


@dataclass
class Course:
    """What came of it: the record, and the oracle's reading at every probe."""

    rows: list[Row] = field(default_factory=list)
    oracle: list[tuple[int, float, float, float]] = field(default_factory=list)

    @cached_property
    def outcome(self) -> Outcome:
        """By the last six readings, fixed before any detector was run on them."""
        last = self.oracle[-6:]
        if all(modes >= 0.85 and good >= 0.4 and kl < 0.3 for _, modes, good, kl in last):
            return "healthy"
        bad = sum(modes < 0.5 or good < 0.1 or kl > 0.69 for _, modes, good, kl in last)
        return "failing" if bad >= 4 else "unlabelled"


def points(source: Ring | Grid) -> World:
    centres = source.centres
    assert centres is not None

    def judge(x: Tensor) -> tuple[float, float, float]:
        found = mode_coverage(source.to_data(x), centres, source.std)
        return found.modes / len(centres), found.high_quality_share, found.reverse_kl

    return World(lambda num, seed: source.draw(0, num, seed=seed)[0], (2,), judge)


def digits() -> World:
    """Modes are digits, by the nearest real's; good is what lies as near a real as reals do."""
    x, y = Digits(labels=True).draw(0, 1600, seed=7)
    assert y is not None
    between = distances(x.flatten(1), x.flatten(1)).fill_diagonal_(torch.inf)
    near = between.amin(dim=1).quantile(0.95)

    def judge(fake: Tensor) -> tuple[float, float, float]:
        distance, index = distances(fake.flatten(1), x.flatten(1)).min(dim=1)
        counted = mode_count(y[index], 10)
        good = float((distance <= near).double().mean())
        return float(counted) / 10, good, counted.reverse_kl

    def draw(num: int, seed: int) -> Tensor:
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
        return x[order[torch.arange(num) % len(x)]]

    return World(draw, (1, 8, 8), judge)


def run(case: Case, seed: int) -> Course:
    """Train it; a few seconds."""
    torch.manual_seed(1000 + seed)
    world = WORLDS[case.data]()
    pair = mlp(LATENT, world.event, width=case.width, d_norm=case.d_norm)
    pool = world.draw(case.pool, 10 + seed)
    held_out = world.draw(2 * NUM, 9000 + seed)
    if case.data == "digits":  # one set only: what the game trains on and what it does not
        images = world.draw(1600, 10)
        pool, held_out = images[: min(case.pool, 1000)], images[1000 : 1000 + 2 * NUM]
    game = Game(pair.g, pair.d, case.objective, case.penalties)
    moves = [
        torch.optim.Adam(n.parameters(), rate, betas=(case.beta, 0.99))
        for n, rate in ((pair.g, case.lr_g), (pair.d, case.lr_d))
    ]
    rule = Alternating(*moves, d_steps=case.d_steps)
    if case.break_wiring is not None:
        case.break_wiring(game, rule)
    z = torch.randn(NUM, LATENT)
    probes = [
        SampleSpace(held_out, z),
        Discriminator(pool[torch.arange(NUM) % len(pool)], z, validation=held_out[:NUM]),
        Memory(pool[:2048], held_out[NUM:], z),
    ]
    return follow(case, world, pair, pool, game, rule, probes)


def follow(
    case: Case,
    world: World,
    pair: Pair,
    pool: Tensor,
    game: Game,
    rule: Alternating,
    probes: Sequence[SampleSpace | Discriminator | Memory],
) -> Course:
    def draw() -> Batch:
        return Batch(pool[torch.randint(len(pool), (BATCH,))], torch.randn(BATCH, LATENT))

    course = Course()
    for step in range(1, case.steps + 1):
        if step == case.at and case.change is not None:
            case.change(game, rule)
        before = [weights(pair.g), weights(pair.d)]
        row: dict[str, Tensor | float] = dict(rule.step(game, draw, step).signals)
        for player, old in zip("gd", before, strict=True):
            new = weights(pair.g if player == "g" else pair.d)
            row[f"update_ratio_{player}"] = (new - old).norm() / old.norm()
        if step == 1 or step % PROBE_EVERY == 0:
            for probe in probes:
                row |= probe.measure(GameView(pair.g, pair.d, step))
            with torch.no_grad():
                course.oracle.append((step, *world.judge(pair.g(torch.randn(1000, LATENT)))))
        course.rows.append({"step": step, **{n: float(v) for n, v in row.items()}})
        if not all(torch.isfinite(weights(n)).all() for n in pair):
            break
    return course


def weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


WORLDS: dict[str, Callable[[], World]] = {
    "ring": lambda: points(Ring(std=0.2)),
    "grid": lambda: points(Grid(std=0.25)),
    "digits": digits,
}


# -- what can be done to a game ------------------------------------------------------------------------------


def scale_rates(g: float = 1.0, d: float = 1.0, *, drop_penalties: bool = False) -> Change:
    def change(game: Game, rule: Alternating) -> None:
        for player, factor in (("g", g), ("d", d)):
            for group in rule.players[player].optimizer.param_groups:
                group["lr"] *= factor
        if drop_penalties:
            game.penalties = ()

    return change


def lose_parameters(player: Literal["g", "d"]) -> Change:
    """The optimizer steps copies: gradients are there, the weights never move."""

    def change(game: Game, rule: Alternating) -> None:
        network = game.g if player == "g" else game.d
        copies = [torch.nn.Parameter(p.detach().clone()) for p in network.parameters()]
        rule.players[player].optimizer.param_groups[0]["params"] = copies

    return change


def start_far(game: Game, rule: Alternating) -> None:
    """Samples begin ten widths away: D separates them at once, with ease."""
    with torch.no_grad():
        list(game.g.parameters())[-1].add_(10.0)


def kill_output(game: Game, rule: Alternating) -> None:
    """G's last layer is multiplied by 0: its gradient is exactly 0 everywhere but there."""
    game.g.register_forward_hook(lambda module, args, x: 0.0 * x)


COLLAPSE = {"mode_collapse", "divergence"}
NS, HINGE, LS, W, RP = NonSaturating(), Hinge(), LeastSquares(), Wasserstein(), Relativistic()
SMALL = R1(weight=0.1)


def fails(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


CASES: dict[str, Case] = {
    # meant to be healthy; the oracle decides
    "ns_r1": Case(NS, (SMALL,)),
    "ns_r1_grid": Case(NS, (SMALL,), data="grid", steps=1500),
    "hinge_sn": Case(HINGE, d_norm="spectral", lr_d=4e-3),
    "hinge_r1": Case(HINGE, (SMALL,)),
    "lsgan_r1": Case(LS, (SMALL,)),
    "wgan_gp": Case(W, (WGANGP(weight=1.0),), d_steps=3),
    "rpgan_r1_r2": Case(RP, (R1(weight=0.1), R2(weight=0.1))),
    "rpgan_grid": Case(RP, (R1(weight=0.1), R2(weight=0.1)), data="grid", steps=1500),
    "ns_r1_slow": Case(NS, (SMALL,), lr_g=2e-4, lr_d=2e-4, steps=1500),
    "ns_r1_tiny": Case(NS, (SMALL,), lr_g=3e-5, lr_d=3e-5),
    "hinge_sn_tiny": Case(HINGE, d_norm="spectral", lr_g=3e-5, lr_d=3e-5),
    "ns_r1_rates_drop": Case(NS, (SMALL,), change=scale_rates(0.1, 0.1)),
    "ns_r1_frozen_late": Case(NS, (SMALL,), change=scale_rates(0.0, 0.0)),
    "ns_r1_digits": Case(NS, (R1(weight=1.0),), data="digits", width=128, lr_g=5e-4, lr_d=5e-4),
    "rpgan_digits": Case(
        RP, (R1(weight=1.0), R2(weight=1.0)), data="digits", width=128, lr_g=5e-4, lr_d=5e-4
    ),
    # meant to fail
    "minimax_strong_d": Case(
        Minimax(),
        lr_d=5e-3,
        break_wiring=start_far,
        kinds=fails("vanishing_gradient", "discriminator_overpowering", "stagnation"),
    ),
    "ns_weak_d": Case(
        NS, (SMALL,), lr_d=1e-6, kinds=fails("discriminator_underpowered", *COLLAPSE)
    ),
    "ns_heavy_r1": Case(
        NS,
        (R1(weight=1e4),),
        kinds=fails(
            "discriminator_underpowered",
            "vanishing_gradient",
            "stagnation",
            "oscillation",
            *COLLAPSE,
        ),
    ),
    "ns_d_not_stepped": Case(
        NS, (SMALL,), break_wiring=lose_parameters("d"), kinds=fails("miswired")
    ),
    "ns_g_not_stepped": Case(
        NS, (SMALL,), break_wiring=lose_parameters("g"), kinds=fails("miswired")
    ),
    "ns_g_dead": Case(NS, (SMALL,), break_wiring=kill_output, kinds=fails("miswired")),
    "ns_g_jump": Case(
        NS, (SMALL,), change=scale_rates(30.0), kinds=fails("oscillation", *COLLAPSE)
    ),
    "hinge_g_jump": Case(
        HINGE, (SMALL,), change=scale_rates(30.0), kinds=fails("oscillation", *COLLAPSE)
    ),
    "ns_d_jump": Case(
        NS,
        (SMALL,),
        change=scale_rates(d=30.0, drop_penalties=True),
        kinds=fails("discriminator_overpowering", "oscillation", *COLLAPSE),
    ),
    "wgan_free": Case(
        W, lr_g=1e-2, lr_d=1e-2, kinds=fails("exploding_gradient", "oscillation", *COLLAPSE)
    ),
    "lsgan_fast": Case(LS, lr_g=1e-2, lr_d=1e-2, kinds=fails("oscillation", *COLLAPSE)),
    "ns_fast": Case(NS, lr_g=1e-2, lr_d=1e-2, kinds=fails("oscillation", *COLLAPSE)),
    "ns_momentum": Case(NS, beta=0.9, lr_g=5e-3, lr_d=1e-3, kinds=fails("oscillation", *COLLAPSE)),
    "ns_tiny_g": Case(
        NS, (SMALL,), lr_g=1e-6, kinds=fails("stagnation", "discriminator_overpowering")
    ),
    "hinge_strong_d": Case(
        HINGE, lr_g=1e-5, lr_d=5e-3, kinds=fails("stagnation", "discriminator_overpowering")
    ),
    "ns_few_ring": Case(
        NS, pool=16, steps=1500, kinds=fails("memorization", "discriminator_overfitting", *COLLAPSE)
    ),
    "ns_few_digits": Case(
        NS,
        data="digits",
        pool=32,
        width=128,
        lr_g=5e-4,
        lr_d=5e-4,
        steps=1500,
        kinds=fails("memorization", "discriminator_overfitting", *COLLAPSE),
    ),
}


def record_all(folder: Path, seeds: Sequence[int], names: Sequence[str] = ()) -> None:
    """Write every course as JSON, once."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in ((s, n) for s in seeds for n in names or CASES):
        path = folder / f"{name}-{seed}.json"
        if path.exists():
            continue
        course = run(CASES[name], seed)
        path.write_text(json.dumps([course.rows, course.oracle]))
        sys.stdout.write(f"{name} {seed} {course.outcome} {course.oracle[-1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    record_all(Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]])
