"""Finds out what a path holds: a run, a record, TensorBoard events or a CSV."""

from collections.abc import Collection, Mapping
from pathlib import Path

from steadygan.errors import DataError
from steadygan.record.importers.csv_log import CsvLog
from steadygan.record.importers.log import Log
from steadygan.record.importers.names import SIGNALS
from steadygan.record.importers.record_log import RecordLog
from steadygan.record.importers.tensorboard_log import TensorBoardLog, event_files, is_event_file

_EXPECTED = "give a run directory, a record.jsonl, TensorBoard event files or a CSV"


def open_log(
    path: Path,
    mapped: Mapping[str, str] | None = None,
    known: Collection[str] = SIGNALS,
    *,
    growing: bool = False,
) -> Log:
    """The log at a path.

    A folder is a run if it holds `record.jsonl`, else a TensorBoard run if there are event files
    anywhere in it, else its only CSV file.

    Args:
        path: file or folder.
        mapped: signal -> column or tag, where the names do not say it.
        known: signals that may be mapped, or that a column may be called.
        growing: the run is not over; what is unfinished is left for later.

    Raises:
        DataError: when there is nothing at the path, or nothing that is a log.
        ConfigError: when TensorBoard files are to be read and tensorboard is not installed.
    """
    if path.is_dir():
        return _open_folder(path, mapped, known, growing)
    if not path.exists():
        raise DataError(f"{path} does not exist; {_EXPECTED}.")
    if is_event_file(path):
        return TensorBoardLog(path, mapped, known, growing=growing)
    if path.suffix == ".jsonl" or _starts_with_brace(path):
        return RecordLog(path, mapped, growing=growing)
    return CsvLog(path, mapped, known, growing=growing)


def _open_folder(
    folder: Path, mapped: Mapping[str, str] | None, known: Collection[str], growing: bool
) -> Log:
    if (record := folder / "record.jsonl").exists():
        return RecordLog(record, mapped, growing=growing)
    if event_files(folder):
        return TensorBoardLog(folder, mapped, known, growing=growing)
    tables = sorted(folder.glob("*.csv"))
    if len(tables) == 1:
        return CsvLog(tables[0], mapped, known, growing=growing)
    if tables:
        names = ", ".join(p.name for p in tables[:6])
        raise DataError(f"{folder} holds {len(tables)} CSV files; give one: {names}.")
    raise DataError(f"{folder} holds no log of a run; {_EXPECTED}.")


def _starts_with_brace(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; {_EXPECTED}.") from error
