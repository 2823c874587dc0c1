"""A contender in a process of its own: reads how many steps to do, does them, answers; until its input ends."""

import argparse
import re
import resource
import sys
from pathlib import Path

import torch

from benchmarks.ours import make_run, step_of
from benchmarks.plain import Mathematics, PlainLoop
from steadygan.networks import dcgan
from steadygan.training.allocator import keep_freed_memory

LATENT, BATCH, SIZE = 128, 64, 32


def main() -> None:
    """Set the process up as its kind would be, then serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=["plain", "ours", "ours-bare"])
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)
    if given.contender == "ours":
        keep_freed_memory()
    stored = torch.randint(0, 256, (4096, 3, SIZE, SIZE), dtype=torch.uint8)
    g, d = dcgan(LATENT, SIZE, 3, width=given.width)
    args = (stored, LATENT, BATCH, Mathematics())
    before = peak_so_far_mib()
    plainly = given.contender == "plain"
    step = PlainLoop(g, d, *args) if plainly else step_of(make_run(g, d, *args))
    for line in sys.stdin:
        for _ in range(int(line)):
            step()
        print(f"{peak_so_far_mib() - before:.1f}", flush=True)


def peak_so_far_mib() -> float:
    """The peak of the resident set so far; ``ru_maxrss`` would count what the parent held when it started us."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
