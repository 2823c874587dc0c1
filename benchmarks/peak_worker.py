"""The peak memory of somebody's loop, watched or not, in a process of its own."""

import argparse
import subprocess
import sys

import torch

from benchmarks.foreign import FOREIGN
from benchmarks.worker import peak_so_far_mib


def peak_mib(name: str, steps: int, threads: int, *, watched: bool) -> float:
    """The peak of the resident set of a fresh process that makes these steps."""
    options = ["--steps", str(steps), "--threads", str(threads)] + ["--watched"] * watched
    command = [sys.executable, "-m", "benchmarks.peak_worker", name, *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Make the steps and print the peak; ``steadygan`` is imported in both cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(FOREIGN))
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--watched", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)
    foreign = FOREIGN[given.name]()
    step = foreign.watched()[0] if given.watched else foreign.loop
    for _ in range(given.steps):
        step()
    print(f"{peak_so_far_mib():.1f}")


if __name__ == "__main__":
    main()
