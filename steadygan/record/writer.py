"""Write the record without making the training wait for the device."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from steadygan.errors import CheckpointError, ConfigError, ContractError, DataError
from steadygan.game import Reduce
from steadygan.record.lines import Layout, event_text, with_events
from steadygan.record.truncate import tail, truncate_after

Listener = Callable[[Sequence[Mapping[str, float | int]]], None]


class _Row(NamedTuple):
    step: int
    names: tuple[str, ...]
    values: tuple[Tensor | float, ...]
    events: tuple[str, ...]


class RecordWriter:
    """Appends signals and events to a record; tensors stay on their device until a flush.

    ``append`` only keeps references: no copy, no synchronisation. A flush moves all that is
    pending with one transfer per device and writes it with one call to the system, whole lines at
    a time, so that a crash loses at most the last ``flush_every`` rows. Continuing an existing
    file drops a torn last line. A file has one writer at a time;
    the lock of one that crashed went with it. Cost: about 10 us a row of 8 signals on a CPU, flush included.

    Args:
        path: the file, made if missing; None on processes that take part in ``reduce`` but do not
            write.
        flush_every: rows between flushes, >= 1.
        reduce: averages a list of tensors over processes, in place; called at each flush, so that
            every process must append the same tensors at the same steps. Plain numbers are not
            averaged.

    Attributes:
        listeners: called after each flush with its rows of signals, rounded as in their text, so that
            who listens sees exactly what who reads the file later sees.

    Raises:
        ConfigError: flush_every < 1.
        DataError: when the file there is no record.
        CheckpointError: when the file cannot be opened or written, or somebody else writes to it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "record.jsonl"
    >>> with RecordWriter(path) as writer:
    ...     writer.event("preview", file="samples/1.png")
    ...     writer.append(1, {"loss_d": torch.tensor(0.5), "step_s": 0.02})
    ...     writer.append(2, {"loss_d": torch.tensor(0.25), "step_s": 0.02})
    >>> path.read_text().splitlines()[1]
    '{"step": 2, "loss_d": 0.25, "step_s": 0.02}'
    """

    def __init__(
        self, path: Path | None, *, flush_every: int = 64, reduce: Reduce | None = None
    ) -> None:
        if flush_every < 1:
            raise ConfigError(
                f"RecordWriter.flush_every must be >= 1, got {flush_every}; "
                "use 1 to write every row at once."
            )
        self.path = path
        self.flush_every = flush_every
        self.reduce = reduce
        self.listeners: list[Listener] = []
        self._pending: list[_Row] = []
        self._events: list[str] = []
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._last_step = -1
        self._file: int | None = None if path is None else self._open(path)

    def append(self, step: int, signals: Mapping[str, Tensor | float | int]) -> None:
        """Add a row of signals; nothing is moved or written before the next flush.

        Args:
            step: larger than the last row's.
            signals: numbers or 0-d tensors that nobody changes in place afterwards.

        Raises:
            ConfigError: when the step does not increase.
            ContractError: for a tensor that is not 0-d.
        """
        if step <= self._last_step:
            raise ConfigError(
                f"record steps must increase, got {step} after {self._last_step}; "
                "cut the record with truncate_after before running steps again."
            )
        names = tuple(signals)
        if names not in self._layouts:
            self._layouts[names] = Layout(names)
        values = tuple(map(_kept, names, signals.values()))
        self._pending.append(_Row(step, names, values, tuple(self._events)))
        self._events.clear()
        self._last_step = step
        if len(self._pending) >= self.flush_every:
            self.flush()

    def event(self, name: str, **detail: Any) -> None:
        """Add an event to the next row: what happened before its step.

        Rows stay one a step that way, whatever happens. An event that no row follows gets a
        line of its own when the record is closed, with the step of the last row; readers do not count it
        as a row.

        Args:
            name: what happened.
            detail: numbers, strings, lists or mappings of them.
        """
        self._events.append(event_text(name, detail))

    def flush(self) -> None:
        """Move and write everything pending.

        Raises:
            CheckpointError: when the disk is full or gone. The file keeps whole lines only, and
                what could not be written stays pending, so that a later flush can write it.
        """
        if not self._pending:
            return
        written = [
            (layout := self._layouts[row.names], row, layout.texts(values))
            for row, values in zip(self._pending, self._transfer(self._pending), strict=True)
        ]
        if self._file is not None:
            lines = (_line(layout, row, texts) for layout, row, texts in written)
            self._write(self._file, "".join(lines).encode())
        self._pending.clear()
        if self.listeners:
            seen = [layout.row(row.step, texts) for layout, row, texts in written]
            for listener in self.listeners:
                listener(seen)

    def rewind(self, step: int) -> None:
        """Forget all rows after a step, those of the file and those that wait: these steps will run again.

        Raises:
            CheckpointError: when the file cannot be changed.
        """
        self._pending.clear()
        self._events.clear()
        if self.path is not None:
            truncate_after(self.path, step)
        self._last_step = min(self._last_step, step)

    def close(self) -> None:
        """Flush and close the file; closing twice is allowed."""
        try:
            self.flush()
            if self._events and self._file is not None:
                line = f'{{"step": {max(self._last_step, 0)}}}\n'
                self._write(self._file, with_events(line, self._events).encode())
                self._events.clear()
        finally:
            if self._file is not None:
                _unlock(self._file)
                os.close(self._file)
            self._file = None

    def __enter__(self) -> "RecordWriter":
        """The writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, also after an error: the rows before a failure are the ones that explain it."""
        self.close()

    def _transfer(self, rows: list[_Row]) -> Iterator[list[float]]:
        """The rows' values as floats: one stack and one transfer per device."""
        held: dict[torch.device, list[Tensor]] = {}
        for row in rows:
            for value in row.values:
                if isinstance(value, Tensor):
                    held.setdefault(value.device, []).append(value)
        moved: dict[torch.device, Iterator[float]] = {}
        for device, tensors in held.items():
            stacked = torch.stack(tensors)
            if self.reduce is not None:
                stacked = stacked if stacked.is_floating_point() else stacked.float()
                self.reduce([stacked])
            moved[device] = iter(stacked.tolist())
        for row in rows:
            yield [next(moved[v.device]) if isinstance(v, Tensor) else v for v in row.values]

    def _open(self, path: Path) -> int:
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise _unopened(path, error) from error
        try:
            _lock(file, path)  # before the end is looked at: it may be in somebody's making
            size, self._last_step = tail(path)
            os.ftruncate(file, size)
        except BaseException as error:
            os.close(file)
            if isinstance(error, DataError):
                reason = f"{path} ends in a line that is {error}; give another path."
                raise DataError(reason) from None
            if isinstance(error, OSError) and not isinstance(error, CheckpointError):
                raise _unopened(path, error) from error
            raise
        return file

    def _write(self, file: int, text: bytes) -> None:
        size = os.fstat(file).st_size
        try:
            written = os.write(file, text)
            while written < len(text):  # a nearly full disk takes a part first
                written += os.write(file, text[written:])
        except OSError as error:
            os.ftruncate(file, size)
            raise CheckpointError(
                f"record {self.path} could not be written: {error.strerror}; free some space."
            ) from error


def _unopened(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"record {path} could not be opened: {error.strerror}; check the folder's permissions."
    )


def _lock(file: int, path: Path) -> None:
    """Make this the file's only writer, until it is closed or the process ends, however it does."""
    if sys.platform == "win32":
        return
    import fcntl  # not everywhere

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return  # a file system without locks
        raise CheckpointError(
            f"record {path} must have one writer, got a second one while the first is at work; close the "
            "other monitor or run, or give another path."
        ) from None


def _unlock(file: int) -> None:
    """Said aloud: a forked worker that holds the same file would keep it locked."""
    if sys.platform != "win32":
        import fcntl

        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_UN)


def _line(layout: Layout, row: _Row, texts: Sequence[str]) -> str:
    line = layout.line(row.step, texts)
    return with_events(line, row.events) if row.events else line


def _kept(name: str, value: Tensor | float | int) -> Tensor | float:
    if not isinstance(value, Tensor):
        return float(value)
    if value.dim() != 0:
        raise ContractError(
            f"signal {name!r} must be a number or a 0-d tensor, "
            f"got shape {tuple(value.shape)}; log its mean."
        )
    # A graph would stay alive until the flush.
    return value.detach() if value.requires_grad else value
