"""Peak memory of a training step, each contender in a fresh process."""

import statistics

from benchmarks.process import KINDS, worker
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet

BAR = 1.10
STEPS = 20
REPEATS = 3


def measure(sheet: Sheet, settings: Settings) -> None:
    """The peak of the resident set above what the process holds before the loop is made."""
    sheet.line(f"DCGAN 32x32x3, batch 64, {STEPS} steps in a fresh process, median of {REPEATS}")
    sheet.line("The networks, both Adams' moments and the weight average are part of it.")
    for width in (64, 32):
        peaks = {kind: _peak_mib(kind, width, settings.threads) for kind in KINDS}
        sheet.line()
        sheet.row(f"width {width}", "peak MiB", "of plain")
        for kind, name in KINDS.items():
            ratio = peaks[kind] / peaks["plain"]
            bar = (
                ""
                if kind == "plain"
                else f" (bar {BAR:.2f}: {'met' if ratio <= BAR else 'missed'})"
            )
            sheet.row(name, f"{peaks[kind]:.0f}", f"{ratio:.2f}{bar}")


def _peak_mib(kind: str, width: int, threads: int) -> float:
    found = []
    for _ in range(REPEATS):
        with worker(kind, width, threads) as one:
            one(STEPS)
            found.append(one.peak_mib)
    return statistics.median(found)
