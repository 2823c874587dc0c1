"""The patient's chart: the record of a foreign run and the doctor who reads along, row by row."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch.distributed
from torch import Tensor

from steadygan.doctor import Diagnosis, Doctor
from steadygan.errors import DataError
from steadygan.probes.optimizer_hooks import Located
from steadygan.record import Record, RecordWriter, read
from steadygan.record.lines import restored_row
from steadygan.types import Player

_FLUSH_EVERY = 64

Listener = Callable[[Sequence[Mapping[str, float | int]]], None]


class Chart:
    """Writes rows, shows them to the doctor as they will be read later, and names what went wrong first.

    Rows are flushed every 64 rows or on demand, so that nothing waits for the device in between. The
    doctor reads them from the file when the diagnosis is asked for, not while the training runs. A
    gradient norm that is not finite is traced to its parameter at the flush, from the norms of single
    parameters that were held until then, and becomes an event.

    Where several processes train together only the first one writes to ``path``.

    Args:
        path: the record; one that is there is continued, and the doctor reads its past first. None: a
            temporary file, which is removed when the chart is gone.

    Raises:
        DataError: when what is there is no record.
        CheckpointError: when it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        follows = torch.distributed.is_available() and torch.distributed.is_initialized()
        if path is not None and path.is_dir():
            raise DataError(
                f"watch record must be a file, got the folder {path}; give {path / 'record.jsonl'}."
            )
        if path is None or (follows and torch.distributed.get_rank() > 0):
            folder = Path(tempfile.mkdtemp(prefix="steadygan-"))
            self.path = folder / "record.jsonl"
        else:
            folder = None
            self.path = path
            path.parent.mkdir(parents=True, exist_ok=True)
        self._doctor = Doctor()
        self._position = 0
        self.first_step = self._catch_up()
        self.last_step = self.first_step
        self._held: dict[tuple[int, Player], Located] = {}
        self._blamed: set[Player] = set()
        self._writer = RecordWriter(self.path, flush_every=_FLUSH_EVERY)
        # Weakly, so that a monitor that is gone takes its temporary record along.
        hear = weakref.WeakMethod(self._read)
        self._writer.listeners.append(lambda rows: _tell(hear(), rows))
        # Also at the interpreter's exit: a loop that never closes its monitor keeps its last rows.
        weakref.finalize(self, _leave, self._writer, folder)

    def append(self, step: int, signals: Mapping[str, Tensor | float]) -> None:
        """Add a row; every 64th moves all of them to the file."""
        self.last_step = step
        self._writer.append(step, signals)

    def hold(self, step: int, player: Player, located: Located) -> None:
        """Keep the norms of single parameters until this step's row is read."""
        if player not in self._blamed:
            self._held[step, player] = located

    def event(self, name: str, **detail: object) -> None:
        """Something happened."""
        self._writer.event(name, **detail)

    def diagnosis(self) -> Diagnosis:
        """What the doctor thinks of all rows so far."""
        self._writer.flush()
        self._catch_up()
        return self._doctor.diagnosis()

    def record(self) -> Record:
        """All rows so far."""
        self._writer.flush()
        return read(self.path)

    def close(self) -> None:
        """Finish the record; closing twice is allowed."""
        self._writer.flush()
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
                    row = restored_row(line)
                    self._doctor.update(row)
                    last = int(row["step"])
        return last

    def _read(self, rows: Sequence[Mapping[str, float | int]]) -> None:
        for row in rows:
            self._blame(row)
        latest = int(rows[-1]["step"])
        self._held = {key: located for key, located in self._held.items() if key[0] > latest}

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


def _leave(writer: RecordWriter, folder: Path | None) -> None:
    writer.listeners.clear()
    writer.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(hear: Listener | None, rows: Sequence[Mapping[str, float | int]]) -> None:
    if hear is not None:
        hear(rows)
