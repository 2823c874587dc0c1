"""``python -m benchmarks [NAME ...] [--rounds N] [--threads N] [--peers DIR]``."""

import argparse
import importlib
from pathlib import Path

import torch

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet

TITLES = {
    "peak": "Peak arithmetic of this machine",
    "step": "A training step against the plain eager loop",
    "overhead": "What surrounds the arithmetic: a step of a small MLP",
    "process": "Settings of the process: flush-to-zero and the allocator",
    "peers": "A training step against other libraries, on their own networks",
    "watch": "What steadygan.watch costs a loop that it watches",
    "autopilot": "What steadygan.stabilize costs over steadygan.watch",
    "memory": "Peak memory of a training step",
    "denormals": "A saturated discriminator with and without flush-to-zero",
    "atlas": "An ensemble against one training after the other",
    "outcomes": "Words of an atlas and of separate trainings",
    "line": "The line predicted over a map of networks, against two measured maps",
    "startup": "Start-up",
    "metrics": "Metrics against the libraries that compute the same",
    "updates": "Update rules on oscillating games, at equal gradient evaluations",
}


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(TITLES)}; all if none"
    )
    parser.add_argument("--rounds", type=int, default=Settings.rounds)
    parser.add_argument("--threads", type=int, default=Settings.threads)
    parser.add_argument("--peers", type=Path, help="folder with torchgan and torch-mimicry")
    given = parser.parse_args()
    for name in given.names:
        if name not in TITLES:
            parser.error(f"unknown benchmark {name!r}; valid: {', '.join(TITLES)}")
    torch.set_num_threads(given.threads)
    settings = Settings(given.rounds, given.threads, given.peers)
    for name in given.names or TITLES:
        torch.set_flush_denormal(
            True
        )  # for every contender alike; `denormals` measures what it is worth
        sheet = Sheet(name, TITLES[name])
        importlib.import_module(f"benchmarks.{name}").measure(sheet, settings)
        sheet.line()
        sheet.keep()


if __name__ == "__main__":
    main()
