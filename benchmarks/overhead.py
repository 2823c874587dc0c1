"""What surrounds the arithmetic, on a game so small that it shows: an MLP on points in the plane."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.agreement import largest_difference
from benchmarks.ours import make_run, step_of
from benchmarks.plain import Mathematics, PlainLoop
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.timing import take_turns
from steadygan.data.synthetic import Ring
from steadygan.networks import mlp
from steadygan.training.run import Run

LATENT, BATCH, WIDTH = 16, 256, 128
GAMES = {
    "non-saturating": Mathematics(),
    "relativistic + R1 + R2": Mathematics(relativistic=True, penalty=0.1),
}


def measure(sheet: Sheet, settings: Settings) -> None:
    """The rings recipe's networks and batch: whole steps, then the parts."""
    sheet.line(f"MLP width {WIDTH}, 3 hidden layers, batch {BATCH}, points in the plane")
    sheet.line("ours: stream, record, average and guards on; plain: none of them")
    stored, _ = Ring().draw(0, 8192, seed=0)
    torch.manual_seed(0)
    g, d = mlp(LATENT, 2, width=WIDTH)
    for game, mathematics in GAMES.items():
        args = (stored, LATENT, BATCH, mathematics)
        difference = largest_difference(PlainLoop(g, d, *args), make_run(g, d, *args))
        run = make_run(g, d, *args)
        contenders: dict[str, Callable[[], object]] = {
            "plain": PlainLoop(g, d, *args),
            "ours": step_of(run),
            "ours, without stream, record and average": _bare(make_run(g, d, *args)),
        }
        turns = take_turns(contenders, rounds=4 * settings.rounds, calls=10, warmup=20)
        sheet.line()
        sheet.line(f"{game}; agree after 3 steps to {difference:.0e}")
        sheet.row("", "us/step", "time over plain")
        for name in contenders:
            ratio = 1 / turns.speedup(name, "plain").median
            sheet.row(name, f"{turns.median_s(name) * 1e6:.0f}", f"{ratio - 1:+.1%}")
    _parts(sheet, run, turns.median_s("ours"))


def _bare(run: Run) -> Callable[[], object]:
    """The update rule on one prepared batch: no stream, no record, no average."""
    batch = run.stream()
    return lambda: run.rule.step(run.game, lambda: batch, 1)


def _parts(sheet: Sheet, run: Run, step_s: float) -> None:
    signals = dict(run.advance().signals)
    steps = iter(range(10**6, 10**9))
    parts: dict[str, Callable[[], object]] = {
        "draw a batch (two a step)": run.stream,
        "weight average": run.average.update,
        "record a row, flush included": lambda: run.record.append(next(steps), signals),
        "list D's parameters": lambda: run.game.parameters("d"),
    }
    sheet.line()
    sheet.row("part", "us", "of our step")
    for name, part in parts.items():
        seconds = _median_s(part)
        sheet.row(name, f"{seconds * 1e6:.0f}", f"{seconds / step_s:.1%}")


def _median_s(call: Callable[[], object], rounds: int = 50, calls: int = 64) -> float:
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        seconds.append((time.perf_counter() - began) / calls)
    return statistics.median(seconds)
