"""Find and cut the end of a record: what a resume must do before its first row."""

import mmap
import os
from pathlib import Path

from steadygan.errors import CheckpointError, DataError
from steadygan.record.lines import step_of


def truncate_after(path: Path, step: int) -> None:
    """Cut every line after ``step``, and a torn last line; those steps will run again.

    Use it before a ``RecordWriter`` continues a run from a checkpoint of ``step``. A missing file
    is left missing. Cost: a bisection over the bytes, since steps never decrease: about 30 lines
    are looked at in a file of 1e9.

    Args:
        path: the record.
        step: the last step to keep.

    Raises:
        DataError: when a line looked at is no row.
        CheckpointError: when the file cannot be changed.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return
        with path.open("r+b") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                end = _end_of(text, step)
            file.truncate(end)
            os.fsync(file.fileno())
    except DataError as error:
        raise DataError(
            f"record {path}: {error}; it cannot be continued, start a new run."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"record {path} could not be cut after step {step}: {error.strerror}; "
            "check the folder's permissions."
        ) from error


def tail(path: Path) -> tuple[int, int]:
    """Where a writer continues: (bytes in whole lines, the last one's step, or -1 if there is none)."""
    if not path.exists() or path.stat().st_size == 0:
        return 0, -1
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        size = text.rfind(b"\n") + 1
        start = text.rfind(b"\n", 0, max(size - 1, 0)) + 1
        return size, step_of(text[start:size]) if size else -1


def _end_of(text: mmap.mmap, step: int) -> int:
    """The offset behind the last whole line whose step is at most ``step``."""
    low, high = 0, text.rfind(b"\n") + 1
    while low < high:
        middle = (low + high) // 2
        start = max(low, text.rfind(b"\n", low, middle) + 1)
        stop = text.find(b"\n", middle) + 1
        if step_of(text[start:stop]) <= step:
            low = stop
        else:
            high = start
    return low
