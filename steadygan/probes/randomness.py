"""The global generators of random numbers, put back as they were."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def restored_randomness(device: torch.device | None, *, seed: int | None = None) -> Iterator[None]:
    """Put torch's, numpy's and Python's global generators back as they were.

    Args:
        device: whose generator beside the CPU's; None: those of all CUDA devices.
        seed: what to draw with inside; None: each goes on from where it stands.
    """
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  (loops draw from it)
    devices = [device] if device is not None and device.type == "cuda" else []
    if device is None and torch.cuda.is_available():
        devices = [torch.device("cuda", n) for n in range(torch.cuda.device_count())]
    try:
        with torch.random.fork_rng(devices, device_type="cuda"):
            if seed is not None:
                reseed(seed, devices)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002  (loops draw from it)


def reseed(seed: int, devices: Sequence[torch.device] = ()) -> None:
    """Seed torch's, numpy's and Python's global generators, and those of these CUDA devices alone."""
    # Not torch.manual_seed: it would seed the generators of all other devices too.
    torch.default_generator.manual_seed(seed)
    for device in devices:
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (networks draw from it)
