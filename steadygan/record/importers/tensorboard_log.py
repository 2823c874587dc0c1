"""TensorBoard event files as a log: the scalars of one file, or of all files of a run."""

import importlib
import os
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from steadygan.errors import ConfigError, DataError
from steadygan.record.importers.log import Log, Row, nothing_recognised
from steadygan.record.importers.names import SIGNALS, choose

_FRAME = struct.Struct("<QI")  # a record's length and the checksum of it; another checksum follows
_CHECKSUM = 4

Scalar = tuple[str, int, float]


def is_event_file(path: Path) -> bool:
    """Whether a file is called like TensorBoard's event files."""
    return "tfevents" in path.name


def event_files(folder: Path) -> list[Path]:
    """A run's event files: those in the folder, with their subfolders' (``add_scalars`` makes those).

    Raises:
        DataError: where the folder holds none itself and several subfolders do: those are runs.
    """
    found = sorted(p for p in folder.rglob("*tfevents*") if p.is_file())
    runs = sorted({p.parent for p in found})
    if len(runs) > 1 and folder not in runs:
        roots = [r for r in runs if not any(other in r.parents for other in runs)]
        if len(roots) > 1:
            names = ", ".join(str(r) for r in roots[:6])
            raise DataError(f"{folder} holds {len(roots)} TensorBoard runs; give one: {names}.")
    return found


class TensorBoardLog(Log):
    """Scalars of TensorBoard event files, joined by step; names are guessed as in a CSV.

    Where several files hold one tag at one step, the later file counts. A torn end is left out.
    Cost: about 3 µs a scalar, and in memory 0.3 kB a step.

    Args:
        path: an event file, or a folder that holds some.
        mapped: signal -> tag, where the tags do not say it.
        known: signals that may be mapped, or that a tag may be called.
        growing: keep the last step for the next call: more of it may come.

    Raises:
        ConfigError: when tensorboard is not installed.
    """

    def __init__(
        self,
        path: Path,
        mapped: Mapping[str, str] | None = None,
        known: Collection[str] = SIGNALS,
        *,
        growing: bool = False,
    ) -> None:
        super().__init__(path, growing=growing)
        self._parser = _parser()
        self._mapped, self._known = dict(mapped or {}), known
        self._positions: dict[Path, int] = {}
        self._tags: dict[str, None] = {}
        self._names: dict[str, str] = {}
        self._pending: dict[int, Row] = {}
        self._step = -1
        self._num_torn = 0

    def rows(self) -> Iterator[Row]:
        """The rows that are new since the last call.

        Raises:
            DataError: when a file cannot be read, is damaged, or has no tag of a GAN.
            ConfigError: when ``mapped`` names a signal or tag that is not there.
        """
        self._num_torn = 0
        scalars = list(self._scalars())
        self._name([tag for tag, _, _ in scalars])
        for tag, step, value in scalars:
            signal = self._names.get(tag)
            if signal is not None and step > self._step:
                self._pending.setdefault(step, {"step": step})[signal] = value
        held = max(self._pending, default=None) if self.growing else None
        for step in sorted(self._pending):
            if step != held:
                self._step = step
                yield self._pending.pop(step)
        if self._num_torn and not self.growing:
            self.notes.append(f"{self._num_torn:,} bytes at the end of {self.path.name} are torn.")

    def _scalars(self) -> Iterator[Scalar]:
        root = self.path if self.path.is_dir() else self.path.parent
        for file in event_files(self.path) if self.path.is_dir() else [self.path]:
            inside = file.parent.relative_to(root).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            try:
                yield from self._scalars_of(file, prefix)
            except OSError as error:
                raise DataError(f"{file} cannot be read: {error.strerror}.") from error

    def _scalars_of(self, path: Path, prefix: str) -> Iterator[Scalar]:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(self._positions.get(path, 0))
            for message in _messages(file, size):
                try:
                    event = self._parser.parse(message)
                except self._parser.error as error:
                    raise DataError(
                        f"{path} is damaged at byte {file.tell():,}: no TensorBoard event; "
                        "give another file, or cut it there."
                    ) from error
                self._positions[path] = file.tell()
                for value in event.summary.value:
                    number = _number(value)
                    if number is not None:
                        yield prefix + value.tag, event.step, number
            self._num_torn += size - self._positions.get(path, 0)

    def _name(self, tags: list[str]) -> None:
        """Decide which tag is which signal, again when there are new tags."""
        fresh = dict.fromkeys(tag for tag in tags if tag not in self._tags)
        if self._names and not fresh:
            return
        self._tags |= fresh
        if not self._tags:
            if self.growing:
                return
            raise DataError(f"{self.path} holds no scalars; give the event files of a run.")
        mapped = self._mapped
        if self.growing:
            mapped = {signal: tag for signal, tag in mapped.items() if tag in self._tags}
        chosen = choose(list(self._tags), mapped, self._known, where=self.path.name)
        chosen.pop("step", None)
        if not chosen and not self.growing:
            raise nothing_recognised(self.path, list(self._tags))
        old = set(self._names.values())
        self._names |= {tag: s for s, tag in chosen.items() if s not in old}
        self._note_choice({s: t for s, t in chosen.items() if s not in old}, self._mapped)


def _messages(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The records of an event file up to a torn end; the file is behind each as it is yielded."""
    position = file.tell()
    while len(head := file.read(_FRAME.size)) == _FRAME.size:
        length, _ = _FRAME.unpack(head)
        position += _FRAME.size + length + _CHECKSUM
        if position > size:
            return
        message = file.read(length)
        file.seek(_CHECKSUM, 1)
        yield message


def _number(value: Any) -> float | None:
    """A summary's scalar: as TensorBoard 1 wrote it, or as a tensor of one number."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    plugin = value.metadata.plugin_data.plugin_name
    if not value.HasField("tensor") or plugin not in ("", "scalars"):
        return None
    array = importlib.import_module("tensorboard.util.tensor_util").make_ndarray(value.tensor)
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "fiu" else None


class _Parser(NamedTuple):
    """Bytes -> event, and what it raises for other bytes. TensorBoard's messages carry no types."""

    parse: Callable[[bytes], Any]
    error: type[Exception]


def _parser() -> _Parser:
    try:
        events = importlib.import_module("tensorboard.compat.proto.event_pb2")
        messages = importlib.import_module("google.protobuf.message")
    except ImportError as error:
        raise ConfigError(
            "reading TensorBoard event files needs the package tensorboard, which is not installed; "
            "run `pip install steadygan[tensorboard]`."
        ) from error
    return _Parser(events.Event.FromString, messages.DecodeError)
