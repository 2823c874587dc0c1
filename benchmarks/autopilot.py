"""What ``steadygan.stabilize`` costs over ``steadygan.watch`` in a run without findings, snapshots included."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.foreign import FOREIGN
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.monitor import Pilot
from steadygan.remedies import GuardSteps

BAR = 0.01
# Loops: where in memory one lies is worth a percent, and only turns of the same one are compared. Then steps before;
# turns; steps of a turn to get used to it, and timed. Few enough in all: left alone the plain loop collapses by 2,700.
TURNS = {"MLP": (6, 300, 20, 8, 20), "DCGAN": (2, 6, 5, 3, 3)}
SNAPSHOTS = 7
PROBES_BETWEEN = 4  # snapshots: steadygan.remedies.history


def measure(sheet: Sheet, settings: Settings) -> None:
    """A stabilised loop with its guard on and off by turns; what comes after each probe; what a snapshot takes."""
    for line in (
        "In one process, two or more stabilised loops, the guard on and off by turns of a few steps:",
        "off is watched alone. The lower quartile of the steps of a turn over that of the turn",
        "beside it; likewise of two turns without. Median over all, and quartiles. One thread.",
    ):
        sheet.line(line)
    torch.set_num_threads(1)
    for name in FOREIGN:
        _race(sheet, name)
    torch.set_num_threads(settings.threads)


def _race(sheet: Sheet, name: str) -> None:
    watched_s: list[float] = []
    over: dict[str, list[float]] = {"again": [], "guarded": []}
    probing: list[float] = []
    for _ in range(TURNS[name.partition(" ")[0]][0]):
        pilot = _loop(name, watched_s, over, probing)
        if pilot.ledger:
            raise RuntimeError(
                f"{name} must run without a treatment, got {pilot.ledger}; run fewer steps."
            )
    step_s = statistics.median(watched_s)
    probes = max(1, pilot.budget.probes.interval)
    ring = pilot.game.snapshots
    taken = statistics.median(_seconds(lambda: ring.take(10**6)) for _ in range(SNAPSHOTS))
    looked = statistics.median(probing)
    guard = statistics.median(over["guarded"])
    shares = looked / (probes * step_s), taken / (PROBES_BETWEEN * probes * step_s)
    total = guard + sum(shares)
    sheet.line()
    sheet.row(name, f"{step_s * 1e3:.2f} ms a watched step")
    sheet.row("  without, again", *_spread(over["again"]))
    sheet.row("  every step (the guard)", *_spread(over["guarded"]))
    sheet.row("  after probes", f"{shares[0]:+.2%}", f"{looked * 1e3:.1f} ms, every {probes} steps")
    often = f"{taken * 1e3:.1f} ms, every {PROBES_BETWEEN * probes} steps"
    sheet.row("  snapshots", f"{shares[1]:+.2%}", often)
    sheet.row("  in all", f"{total:+.2%}", f"bar {BAR:.0%}: {'met' if total <= BAR else 'missed'}")
    mib = sum(snapshot.size_mib for snapshot in ring.snapshots)
    sheet.row("  snapshots hold", f"{mib:.1f} MiB", f"{len(ring.snapshots)} of them")


def _loop(
    name: str, watched_s: list[float], over: dict[str, list[float]], probing: list[float]
) -> Pilot:
    """A new loop; what its turns took is added to the lists."""
    _, before, num, settle, timed = TURNS[name.partition(" ")[0]]
    step, pilot = FOREIGN[name]().stabilised()
    look_after = pilot._look_after
    looks: list[float] = []

    def looking() -> None:
        looks.append(_seconds(look_after))

    def turn() -> float:
        for _ in range(settle):
            step()
        took = []
        for _ in range(timed):
            first = len(looks)
            took.append(_seconds(step) - sum(looks[first:]))
        return sorted(took)[timed // 4]

    pilot._look_after = looking  # type: ignore[method-assign]  # to time what the user cannot call
    for _ in range(before):
        step()
    kinds = ["watched", "again", "guarded"]
    for number in range(num):
        seconds = {}
        for kind in kinds if number % 2 else reversed(kinds):
            undo = None if kind == "guarded" else GuardSteps(False).apply(pilot.game)
            seconds[kind] = turn()
            if undo is not None:
                undo.apply(pilot.game)
        watched_s.append(seconds["watched"])
        for kind, ratios in over.items():
            ratios.append(seconds[kind] / seconds["watched"] - 1)
    probing += looks
    return pilot


def _spread(ratios: list[float]) -> tuple[str, str]:
    low, middle, high = statistics.quantiles(ratios)
    return f"{middle:+.2%}", f"quartiles {low:+.2%}, {high:+.2%}"


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
