"""One metric on random samples; alone in its process for the peak of its memory."""

import argparse
import contextlib
import io
import subprocess
import sys
from collections.abc import Callable

import torch

from benchmarks.worker import peak_so_far_mib
from steadygan.metrics import Moments
from steadygan.metrics.manifold import counted
from steadygan.metrics.screening import both_screened

K = 5


def _samples(n: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(n, d, generator=g) * 0.98, torch.randn(n, d, generator=g)


def _ours(n: int, d: int) -> float:
    found = counted(*both_screened(*_samples(n, d)), K, K)
    return found.precision + found.recall + found.density + found.coverage


def _prdc(n: int, d: int) -> float:
    from prdc import compute_prdc

    fake, real = _samples(n, d)
    with contextlib.redirect_stdout(io.StringIO()):
        found = compute_prdc(real.numpy(), fake.numpy(), nearest_k=K)
    return float(sum(found.values()))


def _stream(n: int, d: int) -> float:
    seen, g = Moments(), torch.Generator().manual_seed(0)
    for _ in range(n // 1000):
        seen.update(torch.randn(1000, d, generator=g))
    return float(seen.covariance.trace())


WORK: dict[str, Callable[[int, int], float]] = {
    "samples": lambda n, d: float(_samples(n, d)[0][0, 0]),
    "ours": _ours,
    "prdc": _prdc,
    "stream": _stream,
}


def peak_mib(name: str, n: int, d: int, threads: int) -> float:
    """The peak of the resident set of a fresh process that does this work."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.metrics_worker",
        name,
        str(n),
        str(d),
        str(threads),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Do the work and print the peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(WORK))
    parser.add_argument("numbers", type=int, nargs=3)
    given = parser.parse_args()
    n, d, threads = given.numbers
    torch.set_num_threads(threads)
    if given.name == "prdc":
        import prdc  # noqa: F401  # imported in either case, so that only the work differs
    WORK[given.name](n, d)
    print(f"{peak_so_far_mib():.1f}")


if __name__ == "__main__":
    main()
