"""Lots of members in a shared folder: processes on any number of machines take them, work them off, hand in results."""

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadygan.errors import CheckpointError

SIZE = 32
"""Members in a lot: what a kill loses at most, and what one process takes at a time."""

_STALE_S = 900.0


@dataclass(frozen=True)
class Lots:
    """The lots of one atlas: ``lots/0007.jsonl`` where done, ``lots/0007.claim`` where somebody is at it.

    A claim is a file made exclusively, so that two processes never take the same lot; one whose process has
    died on this machine, or that was not touched for a quarter of an hour, is taken over. Results are a
    function of the plan alone, so that a lot done twice does no harm. All it needs is a folder that
    everybody sees.

    Args:
        folder: the folder of lots.
    """

    folder: Path

    def results(self) -> dict[int, dict[str, Any]]:
        """What has been handed in, by member."""
        found: dict[int, dict[str, Any]] = {}
        for path in sorted(self.folder.glob("*.jsonl")):
            for line in path.read_text().splitlines():
                row = json.loads(line)
                found[int(row["number"])] = row
        return found

    def is_done(self, lot: int) -> bool:
        """Whether its results are there."""
        return self._done(lot).exists()

    def claim(self, lot: int) -> bool:
        """Take the lot, unless it is done or somebody else is at it."""
        if self.is_done(lot):
            return False
        claim = self._claim(lot)
        if claim.exists() and self._is_stale(claim):
            claim.unlink(missing_ok=True)
        try:
            with claim.open("x") as file:
                file.write(f"{socket.gethostname()} {os.getpid()}\n")
        except FileExistsError:
            return False
        except OSError as error:
            raise CheckpointError(f"{claim} could not be written: {error.strerror}.") from error
        return True

    def touch(self, lots: Sequence[int]) -> None:
        """Say that these are still being worked on."""
        for lot in lots:
            claim = self._claim(lot)
            if claim.exists():
                os.utime(claim)

    def hand_in(self, lot: int, rows: Sequence[dict[str, Any]]) -> None:
        """Write the results whole, and give up the claim."""
        ordered = sorted(rows, key=lambda row: int(row["number"]))
        text = "".join(json.dumps(row) + "\n" for row in ordered)
        partial = self.folder / f".{lot:04d}.{os.getpid()}.partial"
        try:
            with partial.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._done(lot))
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise CheckpointError(
                f"{self._done(lot)} could not be written: {error.strerror}; free some space."
            ) from error
        self._claim(lot).unlink(missing_ok=True)

    def open_lots(self, num: int) -> Iterator[int]:
        """The lots that nobody has taken, one after the other, each claimed for the caller."""
        for lot in range(num):
            if self.claim(lot):
                yield lot

    def _done(self, lot: int) -> Path:
        return self.folder / f"{lot:04d}.jsonl"

    def _claim(self, lot: int) -> Path:
        return self.folder / f"{lot:04d}.claim"

    def _is_stale(self, claim: Path) -> bool:
        try:
            host, pid = claim.read_text().split()
            age = time.time() - claim.stat().st_mtime
        except (OSError, ValueError):
            return True  # torn or gone: its process was killed while it wrote
        if host == socket.gethostname() and not lives(int(pid)):
            return True
        return age > _STALE_S


def lives(pid: int) -> bool:
    """Whether a process of this machine is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
