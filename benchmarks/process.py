"""Each contender in a process of its own, set up as its users would have it, taking turns."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.timing import take_turns

BATCH = 64
KINDS = {
    "plain": "plain",
    "ours-bare": "ours, allocator as it comes",
    "ours": "ours, freed memory kept in the process",
}


class Worker:
    """A running ``benchmarks.worker``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.peak_mib = 0.0

    def __call__(self, steps: int = 1) -> None:
        """Let it do steps; returns when it has."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        self.peak_mib = float(self._process.stdout.readline())


@contextmanager
def worker(kind: str, width: int, threads: int) -> Iterator[Worker]:
    """A worker that ends with the block."""
    options = ["--width", str(width), "--threads", str(threads)]
    command = [sys.executable, "-m", "benchmarks.worker", kind, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Worker(process)
        assert process.stdin is not None
        process.stdin.close()


def measure(sheet: Sheet, settings: Settings) -> None:
    """DCGAN 32x32x3, batch 64, non-saturating."""
    sheet.line("Peak memory: of the process above what it holds before the loop is made.")
    for width in (64, 32):
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(worker(kind, width, settings.threads))
                for kind, name in KINDS.items()
            }
            turns = take_turns(workers, rounds=settings.rounds)
            peaks = {name: worker.peak_mib for name, worker in workers.items()}
        sheet.line()
        sheet.row(f"width {width}", "images/s", "speed-up [quartiles]", "peak MiB", "ratio")
        for name in workers:
            sheet.row(
                name,
                f"{BATCH / turns.median_s(name):.0f}",
                str(turns.speedup(name, "plain")),
                f"{peaks[name]:.0f}",
                f"{peaks[name] / peaks['plain']:.2f}",
            )
