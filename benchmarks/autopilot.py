"""What ``steadygan.stabilize`` costs over ``steadygan.watch`` in a run without findings, snapshots included."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.foreign import FOREIGN
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet

BAR = 0.01
BLOCK = 10
STEPS = {"MLP": (600, 3000), "DCGAN": (60, 240)}  # to settle down, and to measure
SNAPSHOTS = 7
PROBES_BETWEEN = 4  # snapshots: steadygan.remedies.history


def measure(sheet: Sheet, settings: Settings) -> None:
    """Steps of both in turn; and what a snapshot takes, once every four probes."""
    sheet.line(
        f"In one process, {BLOCK} steps of each in turn; every stabilised step is divided by"
    )
    sheet.line("the median of the watched ones beside it. One thread.")
    torch.set_num_threads(1)
    for name in FOREIGN:
        _race(sheet, name)
    torch.set_num_threads(settings.threads)


def _race(sheet: Sheet, name: str) -> None:
    warmup, num = STEPS[name.partition(" ")[0]]
    watched, _ = FOREIGN[name]().watched()
    stabilised, pilot = FOREIGN[name]().stabilised()
    watched_s: list[float] = []
    ratios: list[float] = []
    for turn in range((warmup + num) // BLOCK):
        order = (watched, stabilised) if turn % 2 else (stabilised, watched)
        seconds = {call: [_seconds(call) for _ in range(BLOCK)] for call in order}
        watched_s += seconds[watched]
        usual = statistics.median(seconds[watched])
        ratios += [s / usual for s in seconds[stabilised]]
    step_s = statistics.median(watched_s[warmup:])
    guard = statistics.median(ratios[warmup:]) - 1
    ring = pilot.game.snapshots
    taken = statistics.median(_seconds(lambda: ring.take(10**6)) for _ in range(SNAPSHOTS))
    probes = max(1, pilot.budget.probes.interval)
    share = taken / (PROBES_BETWEEN * probes * step_s)
    total = guard + share
    sheet.line()
    sheet.row(name, f"{step_s * 1e3:.2f} ms a watched step")
    sheet.row("  every step (the guard)", f"{guard:+.2%}")
    often = f"{taken * 1e3:.1f} ms, every {PROBES_BETWEEN * probes} steps"
    sheet.row("  snapshots", f"{share:+.2%}", often)
    sheet.row("  in all", f"{total:+.2%}", f"bar {BAR:.0%}: {'met' if total <= BAR else 'missed'}")
    mib = sum(snapshot.size_mib for snapshot in ring.snapshots)
    sheet.row("  snapshots hold", f"{mib:.1f} MiB", f"{len(ring.snapshots)} of them")


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
