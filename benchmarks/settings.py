"""What the command line decides about a measurement."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How long and where to measure.

    Args:
        rounds: interleaved turns of every contender; more rounds, narrower quartiles.
        threads: torch's compute threads, the same for all contenders.
        peers: folder into which the other libraries were installed; None: they are importable, or skipped.
    """

    rounds: int = 40
    threads: int = 1
    peers: Path | None = None
