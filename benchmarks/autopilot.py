"""What ``steadygan.stabilize`` costs over ``steadygan.watch`` in a run without findings, snapshots included."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.foreign import FOREIGN
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.monitor import Pilot

BAR = 0.01
PAIRS = 3  # of loops: where in memory one lies is worth a percent
STEPS = {"MLP": (600, 900, 10), "DCGAN": (6, 24, 2)}  # to settle down, to measure, in a block
SNAPSHOTS = 7
PROBES_BETWEEN = 4  # snapshots: steadygan.remedies.history


def measure(sheet: Sheet, settings: Settings) -> None:
    """Steps of both in turn; what it does after each probe; and what a snapshot takes, once every four probes."""
    sheet.line(
        f"In one process, a few steps of each in turn, {PAIRS} times with new loops: the median"
    )
    sheet.line(
        "step of a stabilised block over that of the watched block beside it; likewise of two"
    )
    sheet.line("watched loops. Median over all blocks, and quartiles. One thread.")
    torch.set_num_threads(1)
    for name in FOREIGN:
        _race(sheet, name)
    torch.set_num_threads(settings.threads)


def _race(sheet: Sheet, name: str) -> None:
    num = STEPS[name.partition(" ")[0]]
    watched_s: list[float] = []
    over: dict[str, list[float]] = {"again": [], "stabilised": []}
    probing: list[float] = []
    for _ in range(PAIRS):
        pilot = _pair(name, num, watched_s, over, probing)
        if pilot.ledger:
            raise RuntimeError(
                f"{name} must run without a treatment, got {pilot.ledger}; run fewer steps."
            )
    step_s = statistics.median(watched_s)
    probes = max(1, pilot.budget.probes.interval)
    ring = pilot.game.snapshots
    taken = statistics.median(_seconds(lambda: ring.take(10**6)) for _ in range(SNAPSHOTS))
    looked = statistics.median(probing)
    guard = statistics.median(over["stabilised"])
    shares = looked / (probes * step_s), taken / (PROBES_BETWEEN * probes * step_s)
    total = guard + sum(shares)
    sheet.line()
    sheet.row(name, f"{step_s * 1e3:.2f} ms a watched step")
    sheet.row("  two watched loops", *_spread(over["again"]))
    sheet.row("  every step (the guard)", *_spread(over["stabilised"]))
    sheet.row("  after probes", f"{shares[0]:+.2%}", f"{looked * 1e3:.1f} ms, every {probes} steps")
    often = f"{taken * 1e3:.1f} ms, every {PROBES_BETWEEN * probes} steps"
    sheet.row("  snapshots", f"{shares[1]:+.2%}", often)
    sheet.row("  in all", f"{total:+.2%}", f"bar {BAR:.0%}: {'met' if total <= BAR else 'missed'}")
    mib = sum(snapshot.size_mib for snapshot in ring.snapshots)
    sheet.row("  snapshots hold", f"{mib:.1f} MiB", f"{len(ring.snapshots)} of them")


def _pair(
    name: str,
    num: tuple[int, int, int],
    watched_s: list[float],
    over: dict[str, list[float]],
    probing: list[float],
) -> Pilot:
    """New loops; what they took is added to the lists."""
    watched, again = (FOREIGN[name]().watched()[0] for _ in range(2))
    stabilised, pilot = FOREIGN[name]().stabilised()
    look_after = pilot._look_after
    looks: list[float] = []

    def timed() -> None:
        looks.append(_seconds(look_after))

    pilot._look_after = timed  # type: ignore[method-assign]  # to time what the user cannot call
    loops = {"watched": watched, "again": again, "stabilised": stabilised}
    settle, measured, block = num
    warmup = settle // block
    for turn in range(warmup + measured // block):
        order = list(loops) if turn % 2 else list(loops)[::-1]
        seconds = {key: [_seconds(loops[key]) for _ in range(block)] for key in order}
        if turn < warmup:
            continue
        watched_s += seconds["watched"]
        usual = statistics.median(seconds["watched"])
        for key, ratios in over.items():
            ratios.append(statistics.median(seconds[key]) / usual - 1)
    probing += looks
    return pilot


def _spread(ratios: list[float]) -> tuple[str, str]:
    low, middle, high = statistics.quantiles(ratios)
    return f"{middle:+.2%}", f"quartiles {low:+.2%}, {high:+.2%}"


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
