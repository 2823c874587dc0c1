"""GAN-steps per second of an ensemble against one training after the other, in one process."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import softplus

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.timing import take_turns
from steadygan.atlas import Ensemble
from steadygan.recipes import load_recipe
from steadygan.recipes.families import make_family, make_member

SIZES = (
    (32, 64, 256, 3, 30.0),
    (32, 64, 256, 2, 30.0),
    (32, 64, 256, 1, 30.0),
    (128, 256, 64, 3, 2.8),
    (128, 256, 64, 2, 2.8),
)
SLOTS = 32
CALLS = {32: 100, 128: 4}
_PEAK = 1024


def measure(sheet: Sheet, settings: Settings) -> None:
    """Compiled and uncompiled ensembles, each a stretch at a time, beside a plain loop."""
    sheet.line(
        "Points in the plane, non-saturating, Adam; MLPs. The loop is plain PyTorch, one GAN;"
    )
    sheet.line(
        f"ensembles have {SLOTS} members side by side, draws and signals included; bars are for"
    )
    sheet.line("all members of a map, which pass through these slots.")
    sheet.line()
    sheet.row("setting", "loop/s", "ratio, quartiles", "GAN-steps/s", "bar", "of peak")
    for width, batch, members, depth, bar in SIZES:
        _race(sheet, settings, width, batch, members, depth, bar)


def _race(
    sheet: Sheet, settings: Settings, width: int, batch: int, members: int, depth: int, bar: float
) -> None:
    calls = CALLS[width]
    loop, peak = _loop(width, batch, depth), _product()
    uncompiled = _ensemble(width, batch, depth, calls, compiled=False)
    compiled = _ensemble(width, batch, depth, calls, compiled=True)

    def plain() -> None:
        for _ in range(calls):
            loop()

    contenders = {
        "loop": plain,
        "eager": uncompiled.advance,
        "compiled": compiled.advance,
        "peak": peak,
    }
    turns = take_turns(contenders, rounds=max(4, settings.rounds // 4), warmup=1)
    flops = _flops(width, batch, depth)
    top = 2 * _PEAK**3 / turns.median_s("peak")
    for name in ("compiled", "eager"):
        ratio = turns.speedup(name, "loop")
        low, middle, high = (SLOTS * r for r in ratio)
        speed = SLOTS * calls / turns.median_s(name)
        sheet.row(
            f"width {width}, batch {batch}, depth {depth}, {members}: {name}",
            f"{calls / turns.median_s('loop'):.0f}",
            f"{middle:.1f} [{low:.1f}, {high:.1f}]",
            f"{speed:,.0f}",
            f"{bar:.3g}",
            f"{speed * flops / top:.0%}",
        )


def _ensemble(width: int, batch: int, depth: int, stretch: int, *, compiled: bool) -> Ensemble:
    recipe = load_recipe(
        "rings",
        [
            f"network={{name: mlp, width: {width}, depth: {depth}}}",
            f"batch={batch}",
            "steps=1000000",
            "objective=non_saturating",
            "penalties={}",
            "optimizer.g={name: adam, lr: 1e-4, betas: [0.5, 0.99]}",
            "optimizer.d={name: adam, lr: 1e-4, betas: [0.5, 0.99]}",
        ],
    )
    family = make_family(recipe)
    rates = torch.logspace(-5, -3, SLOTS).tolist()
    members = [
        make_member(load_recipe(recipe, [f"optimizer.g.lr={rate}"]), n, family)
        for n, rate in enumerate(rates)
    ]
    return Ensemble(family, members, stretch=stretch, compiled=compiled)


def _loop(width: int, batch: int, depth: int) -> Callable[[], None]:
    def network(num_out: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for num_in in [2] + [width] * (depth - 1):
            layers += [nn.Linear(num_in, width), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, nn.Linear(width, num_out))

    g, d = network(2), network(1)
    opt_g, opt_d = (torch.optim.Adam(n.parameters(), 1e-4, betas=(0.5, 0.99)) for n in (g, d))

    def step() -> None:
        x, fake = torch.randn(batch, 2), g(torch.rand(batch, 2) * 2 - 1).detach()
        loss = (softplus(-d(x)) + softplus(d(fake))).mean()
        opt_d.zero_grad()
        loss.backward()
        opt_d.step()
        loss = softplus(-d(g(torch.rand(batch, 2) * 2 - 1))).mean()
        opt_g.zero_grad()
        loss.backward()
        opt_g.step()

    return step


def _product() -> Callable[[], torch.Tensor]:
    a = torch.randn(_PEAK, _PEAK)
    return lambda: a @ a


def _flops(width: int, batch: int, depth: int) -> float:
    """Multiplications and additions of one GAN-step: 3 forward passes of D and 2 of G, and their gradients."""
    inner = (depth - 1) * width * width
    g, d = 2 * batch * (4 * width + inner), 2 * batch * (3 * width + inner)
    # D's step: G forward, D twice forward and twice backward in weights and activations; G's step: all once.
    return g + 2 * d * 3 + g * 3 + d * 2
