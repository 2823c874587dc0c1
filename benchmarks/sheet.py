"""The text a measurement leaves behind: dated, with the machine in general words."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


class Sheet:
    """Lines that are printed as they come and kept in ``benchmarks/results/NAME.txt``.

    Args:
        name: of the file.
        title: the first line.
        widths: of the columns of ``row``.
    """

    def __init__(
        self, name: str, title: str, widths: tuple[int, ...] = (50, 12, 23, 12, 9, 8)
    ) -> None:
        self.name, self.widths = name, widths
        self._lines: list[str] = []
        self.line(title)
        self.line(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine()}")
        self.line()

    def line(self, text: str = "") -> None:
        """Add a line."""
        print(text, flush=True)
        self._lines.append(text)

    def row(self, *cells: str) -> None:
        """Add a line of aligned cells; the first to the left, the others to the right."""
        first, *others = zip(cells, self.widths, strict=False)
        aligned = [f"{cell:>{width}}" for cell, width in others]
        self.line("  ".join([f"{first[0]:<{first[1]}}", *aligned]).rstrip())

    def keep(self) -> None:
        """Write the file."""
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.txt").write_text("\n".join(self._lines) + "\n")


def machine() -> str:
    """Processor, cores, versions, threads: what a number depends on, and nothing about whose machine it is.

    The load tells how much to trust absolute times; ratios of interleaved turns hardly depend on it.
    """
    parts = [
        f"{os.cpu_count()} cores of {_processor()}",
        f"torch {torch.__version__}",
        f"Python {sys.version.split()[0]}",
        f"{torch.get_num_threads()} thread(s)",
    ]
    if hasattr(os, "getloadavg"):
        parts.append(f"load {os.getloadavg()[0]:.1f}")
    return ", ".join(parts)


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
