"""How many threads a computation of many small products should take."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_FEW = 2


@contextmanager
def undisturbed() -> Iterator[None]:
    """One thread on small machines: products wait at hundreds of barriers, and where another program holds the second
    core they took eleven times as long on two threads as on one.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if threads <= _FEW else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
