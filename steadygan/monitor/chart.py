"""The patient's chart: the record of a run and the doctor who reads along, row by row."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch.distributed
from torch import Tensor

from steadygan.doctor import Diagnosis, Doctor
from steadygan.doctor.remembered import EVENT, detail_of, joined, recalled
from steadygan.errors import CheckpointError, DataError
from steadygan.probes.optimizer_hooks import Located
from steadygan.record import Record, RecordWriter, read
from steadygan.record.lines import restored_row
from steadygan.types import Player

_FLUSH_EVERY = 64

Rows = Sequence[Mapping[str, float | int]]
Tail = list[tuple[int, Mapping[str, Tensor | float]]]
Listener = Callable[[Rows], None]


class Chart:
    """Shows the doctor the rows of a record as they will be read later, and names what went wrong first.

    What the record holds already the doctor reads at once, so that a run that is continued remembers its
    findings. The rows that come he either sees at each flush, or reads from the file when the diagnosis is
    asked for and not while the training runs. A gradient norm that is not finite is traced to its parameter
    at the flush, from the norms of single parameters that were held until then, and becomes an event.

    Where a game is rolled back, its state has not lived through what the record tells of. Who treats it asks a second
    doctor, who has read only what came since: to the first one a new start is a collapse from the best samples so far,
    and a gradient that has become what it should be an explosion.

    Args:
        path: the record's file.
        writer: what appends to it; its owner is who made it.
        is_live: whether to examine at each flush. ``latest`` is then always up to date.

    Raises:
        DataError: when what is there is no record.
    """

    def __init__(self, path: Path, writer: RecordWriter, *, is_live: bool) -> None:
        self.path = path
        self.is_temporary = False
        self.latest: Diagnosis | None = None
        self._writer, self._is_live = writer, is_live
        self._doctor = Doctor()
        self._second: Doctor | None = None
        self._since = 0
        self._preflight: Diagnosis | None = None
        self._position = 0
        self.first_step = self._catch_up()
        self.last_step = self.first_step
        if self.first_step:
            self._preflight = recalled((e.name, e.detail) for e in read(path).events)
        # The latest row is not the writer's yet: should it be the last one, the end is noted in it.
        self._tail: Tail = []
        self._held: dict[tuple[int, Player], Located] = {}
        self._blamed: set[Player] = set()
        # Weakly, so that a monitor that is gone takes its temporary record along.
        hear = weakref.WeakMethod(self._read)
        writer.listeners.append(lambda rows: _tell(hear(), rows))

    @classmethod
    def at(cls, path: Path | None) -> "Chart":
        """A chart with a record of its own, flushed every 64 rows or on demand.

        Where several processes train together only the first one writes to ``path``.

        Args:
            path: the record; one that is there is continued. None: a temporary file, which is removed when
                the chart is gone.

        Raises:
            DataError: when what is there is no record.
            CheckpointError: when it cannot be opened.
        """
        follows = torch.distributed.is_available() and torch.distributed.is_initialized()
        if path is not None and path.is_dir():
            raise DataError(
                f"watch record must be a file, got the folder {path}; give {path / 'record.jsonl'}."
            )
        folder: Path | None = None
        if path is None or (follows and torch.distributed.get_rank() > 0):
            folder = Path(tempfile.mkdtemp(prefix="steadygan-"))
            path = folder / "record.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"record {path} could not be opened: {error.strerror}; choose another folder."
            ) from error
        writer = RecordWriter(path, flush_every=_FLUSH_EVERY)
        try:
            chart = cls(path, writer, is_live=False)
        except DataError:
            writer.close()
            raise
        chart.is_temporary = folder is not None
        # Also at the interpreter's exit: a loop that never closes its monitor keeps its last rows.
        weakref.finalize(chart, _leave, writer, chart._tail, folder, os.getpid())
        return chart

    def append(self, step: int, signals: Mapping[str, Tensor | float]) -> None:
        """Add a row; every 64th moves all of them to the file."""
        _release(self._tail, self._writer)
        self._tail.append((step, signals))
        self.last_step = step

    def hold(self, step: int, player: Player, located: Located) -> None:
        """Keep the norms of single parameters until this step's row is read."""
        if player not in self._blamed:
            self._held[step, player] = located

    def event(self, name: str, **detail: object) -> None:
        """Something happened; the next row tells."""
        with suppress(CheckpointError):  # the row waits, and whoever adds the next one hears of it
            _release(self._tail, self._writer)
        self._writer.event(name, **detail)

    def note_preflight(self, found: Diagnosis) -> None:
        """What was found wrong before step 1 is part of every diagnosis from now on, and of the record."""
        found = replace(found, findings=tuple(f for f in found.findings if f.severity != "info"))
        if not found.findings:
            return
        self._preflight = found
        self.event(EVENT, **detail_of(found))
        if self.latest is not None:
            self.latest = self._told()

    def diagnosis(self) -> Diagnosis:
        """What the doctor thinks of all rows so far; of a live chart's, those up to the last flush."""
        if not self._is_live:
            self.flush()
            self._catch_up()
        return self._told()

    def present(self, since: int | None) -> Diagnosis:
        """What is to be said of a game that was rolled back at this step, by the rows after it; None: of all rows."""
        diagnosis = self.diagnosis()
        if since is None:
            return diagnosis
        if self._second is None or self._since != since:
            self.flush()
            self._second, self._since = Doctor(), since
            if self.last_step > since:
                for row in self.record().rows():
                    self._tell_second(row)
        return joined(self._second.diagnosis(), self._preflight)

    def _told(self) -> Diagnosis:
        return joined(self._doctor.diagnosis(), self._preflight)

    def record(self) -> Record:
        """All rows so far."""
        self.flush()
        return read(self.path)

    def flush(self) -> None:
        """Move all rows to the file."""
        _release(self._tail, self._writer)
        self._writer.flush()

    def rows(self) -> bytes:
        """The text of all rows so far."""
        self.flush()
        return self.path.read_bytes()

    def rewind(self, step: int, rows: bytes | None = None) -> None:
        """Back to what was known after a step, whatever the record holds beyond it.

        Args:
            step: the last one to remember.
            rows: what the record held then; None: the file still has it.

        Raises:
            DataError: when the file does not reach to the step, so that it is another run's.
            CheckpointError: when it cannot be changed.
        """
        self._tail.clear()
        self._held.clear()
        self._writer.rewind(step if rows is None else -1)
        if rows is not None:
            self.path.write_bytes(rows)
            self._writer.rewind(step)
        self._doctor, self._position, self.latest = Doctor(), 0, None
        self._second = None
        self.first_step = self._catch_up()
        if self.first_step < step:
            raise DataError(
                f"record {self.path} must reach to step {step}, at which the state was saved, got only "
                f"{self.first_step}; give the record of that run."
            )
        self.last_step = self.first_step
        self._preflight = recalled((e.name, e.detail) for e in read(self.path).events)

    def close(self, event: str | None = None, **detail: object) -> None:
        """Finish the record; closing twice is allowed.

        Args:
            event: how it ended, told by the last row, or by one of its own where that is written already.
            detail: of the event.
        """
        self._writer.flush()
        if event is not None:
            self._writer.event(event, **detail)
        self.flush()  # before closing: who reads the last rows may have something to add
        self._writer.close()

    def _catch_up(self) -> int:
        """Show the doctor the rows it has not read yet; the last one's step, 0 without any."""
        last = 0
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._position)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._position += len(line)
                    row = self._row(line)
                    self._doctor.update(row)
                    self._tell_second(row)
                    last = int(row["step"])
        return last

    def _row(self, line: bytes) -> dict[str, float | int]:
        try:
            return restored_row(line)
        except (DataError, ValueError, TypeError):
            start = line[:40].decode(errors="replace")
            raise DataError(
                f"record {self.path} must hold rows only, got {start!r}; give another path."
            ) from None

    def _read(self, rows: Rows) -> None:
        latest = int(rows[-1]["step"])
        self.last_step = max(self.last_step, latest)
        if self._held:
            for row in rows:
                self._blame(row)
            self._held = {key: held for key, held in self._held.items() if key[0] > latest}
        if self._is_live:
            for row in rows:
                self._doctor.update(row)
                self._tell_second(row)
            self.latest = self._told()

    def _tell_second(self, row: Mapping[str, float | int]) -> None:
        if self._second is not None and row["step"] > self._since:
            self._second.update(row)

    def _blame(self, row: Mapping[str, float | int]) -> None:
        players: tuple[Player, Player] = ("g", "d")
        for player in players:
            norm = row.get(f"grad_norm_{player}", 0.0)
            located = self._held.get((int(row["step"]), player))
            if norm - norm == 0 or located is None:  # inf − inf and NaN − NaN are NaN
                continue
            if f"loss_scale_{player}" in row:
                continue  # the scaler provoked it and skips the step
            parameter = located.first_bad()
            if parameter is not None:
                self._blamed.add(player)
                self._writer.event(
                    "non_finite_gradient", player=player, parameter=parameter, at=row["step"]
                )


def _release(tail: Tail, writer: RecordWriter) -> None:
    while tail:
        writer.append(*tail.pop())


def _leave(
    writer: RecordWriter,
    tail: Tail,
    folder: Path | None,
    process: int,
) -> None:
    if os.getpid() != process:
        return  # a fork's copy: rows and folder belong to the parent
    writer.listeners.clear()
    _release(tail, writer)
    writer.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(hear: Listener | None, rows: Rows) -> None:
    if hear is not None:
        hear(rows)
