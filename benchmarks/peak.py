"""How much arithmetic a step needs, and how fast the machine can do arithmetic at all."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet


def matrix_product_gflops(size: int = 2048, repeats: int = 9) -> float:
    """The rate of a float32 matrix product with torch's current threads [GFLOP/s]."""
    a, b = torch.randn(2, size, size)
    seconds = []
    for _ in range(repeats + 2):
        began = time.perf_counter()
        torch.mm(a, b)
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / statistics.median(seconds[2:]) / 1e9


class _Counter(TorchDispatchMode):
    """Adds up the arithmetic of every operation whose amount torch knows; ``FlopCounterMode`` itself also hooks
    modules, which ``autograd.grad`` in the input does not allow."""

    flop = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        options = dict(kwargs or {})
        out = func(*args, **options)
        amount = flop_registry.get(func.overloadpacket)
        if amount is not None:
            self.flop += amount(*args, **options, out_val=out)
        return out


def gflop_of(step: Callable[[], object]) -> float:
    """Multiplications and additions in the matrix products and convolutions of one step [GFLOP]."""
    with _Counter() as counter:
        step()
    return float(counter.flop) / 1e9


def measure(sheet: Sheet, settings: Settings) -> None:
    """The machine's own rate, by size; ``step`` prints the fraction its contenders reach."""
    del settings
    for size in (512, 1024, 2048):
        sheet.row(f"matrix product {size} x {size}", f"{matrix_product_gflops(size):.0f} GFLOP/s")
