"""What ``steadygan.watch`` costs a loop that it watches at its default settings."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.foreign import FOREIGN
from benchmarks.peak_worker import peak_mib
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.monitor import Monitor

BLOCK = 10
BARS = {"MLP": 0.05, "DCGAN": 0.015}
STEPS = {"MLP": (600, 2000), "DCGAN": (70, 240)}  # to settle down, and to measure
THREADS = {"MLP": (1,), "DCGAN": (1, 2)}  # more make a step of a millisecond slower
MEMORY_STEPS = 60
REPEATS = 3
PARTS = {
    "probed": "energy_distance",
    "traced": "update_ratio_g",
    "compared": "grad_cosine_g",
    "recorded": "grad_norm_g",
}  # what is done in a step, the dearest first -> a signal that shows it


def measure(sheet: Sheet, settings: Settings) -> None:
    """Time per step and peak memory, watched over unwatched."""
    sheet.line(f"In one process, {BLOCK} steps in turn; every step is divided by the median of the")
    sheet.line(
        "unwatched ones beside it. Medians by what is done in a step, weighted by how often."
    )
    for name in FOREIGN:
        for threads in THREADS[name.partition(" ")[0]]:
            _race(sheet, name, threads)
    torch.set_num_threads(settings.threads)
    sheet.line()
    sheet.row(f"peak MiB after {MEMORY_STEPS} steps, own processes", "alone", "watched", "ratio")
    for name in FOREIGN:
        alone, watched = (
            statistics.median(
                peak_mib(name, MEMORY_STEPS, settings.threads, watched=w) for _ in range(REPEATS)
            )
            for w in (False, True)
        )
        sheet.row(name, f"{alone:.0f}", f"{watched:.0f}", f"{watched / alone:.2f}")


def _race(sheet: Sheet, name: str, threads: int) -> None:
    torch.set_num_threads(threads)
    model = name.partition(" ")[0]
    warmup, num = STEPS[model]
    plain = FOREIGN[name]().loop
    step, monitor = FOREIGN[name]().watched()
    alone_s, ratios = _turns(plain, step, warmup + num)
    cost = _by_part(monitor, ratios, warmup)
    total = sum(share * (ratio - 1) for share, ratio in cost.values())
    verdict = "met" if total <= BARS[model] else "missed"
    sheet.line()
    sheet.line(f"{name}, {threads} thread(s)")
    sheet.row("unwatched", f"{statistics.median(alone_s[warmup:]) * 1e3:.2f} ms")
    sheet.row("watched", f"{total:+.1%}", f"bar {BARS[model]:.1%}: {verdict}")
    sheet.row("of which steps that are", "how many", "a step's time over plain", "part")
    for part, (share, ratio) in sorted(cost.items(), key=lambda item: -item[1][0]):
        sheet.row(f"  {part}", f"{share:.1%}", f"{ratio:.3f}", f"{share * (ratio - 1):.2%}")
    budget = monitor.budget
    sheet.line(
        f"intervals: rows {budget.rows.interval}, traces {budget.traces.interval}, probes {budget.probes.interval}"
    )


def _turns(
    plain: Callable[[], object], watched: Callable[[], object], num: int
) -> tuple[list[float], list[float]]:
    """Seconds of each unwatched step, and each watched one's time as a multiple of its neighbours'."""
    alone_s: list[float] = []
    ratios: list[float] = []
    for turn in range(num // BLOCK):
        order = (plain, watched) if turn % 2 else (watched, plain)
        seconds = {call: [_seconds(call) for _ in range(BLOCK)] for call in order}
        alone_s += seconds[plain]
        usual = statistics.median(seconds[plain])
        ratios += [s / usual for s in seconds[watched]]
    return alone_s, ratios


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _by_part(monitor: Monitor, ratios: list[float], warmup: int) -> dict[str, tuple[float, float]]:
    """The dearest thing done in a step -> the share of such steps, and their median ratio."""
    record = monitor.record
    measured = {part: set(record.measured(signal)[0].tolist()) for part, signal in PARTS.items()}
    groups: dict[str, list[float]] = {}
    for step, ratio in enumerate(ratios[warmup:], warmup + 1):
        part = next((part for part in PARTS if step in measured[part]), "not measured")
        groups.setdefault(part, []).append(ratio)
    num = len(ratios) - warmup
    return {name: (len(g) / num, statistics.median(g)) for name, g in groups.items()}
