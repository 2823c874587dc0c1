"""A CSV file as a log: any delimiter, any names, torn or still growing."""

import csv
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path

from steadygan.errors import DataError
from steadygan.record.importers.csv_layout import Layout, layout_of, refuse_binary
from steadygan.record.importers.log import Log, Row, nothing_recognised
from steadygan.record.importers.names import SIGNALS, choose
from steadygan.record.importers.steps import Steps

_CHUNK = 1 << 20
_EMPTY = frozenset({"", "-", "none", "null", "na", "n/a"})


class CsvLog(Log):
    """Rows of a CSV file.

    The delimiter is the one of `, ; tab | space` that suits the first lines. An empty cell was not
    measured; "nan" and "inf" are taken at their word. Cells that are no numbers and rows with
    missing cells are left out and counted. A decimal comma is understood where it does not delimit.
    Without a header the columns are called "1", "2", ...

    Steps come from the column mapped to "step", or one called step, iteration or epoch; where it
    does not rise, or there is none, rows are numbered. Neighbouring rows of one step that measure
    different columns are one row. Cost: about 3 µs a row, and no more memory than a chunk of 1 MiB.

    Args:
        path: the file.
        mapped: signal -> column, where the names do not say it.
        known: signals that may be mapped, or that a column may be called.
        growing: leave what is unfinished for the next call.
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
        self._mapped, self._known = dict(mapped or {}), known
        self._position = 0
        self._layout: Layout | None = None
        self._places: tuple[tuple[str, int], ...] = ()
        self._steps = Steps()
        self._num_bad = self._num_torn = 0

    @property
    def signals(self) -> frozenset[str] | None:
        """The chosen columns' signals; None before the header was read."""
        return frozenset(name for name, _ in self._places) or None

    def rows(self) -> Iterator[Row]:
        """The rows that are new since the last call.

        Raises:
            DataError: when the file cannot be read, is empty or no text, or has no column of a GAN.
            ConfigError: when ``mapped`` names a signal or column that is not there.
        """
        try:
            yield from self._new_rows()
        except csv.Error as error:
            raise DataError(f"{self.path} is no CSV ({error}); mend or shorten it.") from error
        if not self.growing:
            self._note_losses()

    def _new_rows(self) -> Iterator[Row]:
        lines = self._lines()
        if self._layout is None:
            lines = self._read_header(lines)
        if self._layout is None:
            return
        cells = csv.reader(lines, delimiter=self._layout.delimiter, skipinitialspace=True)
        yield from self._steps.placed(self._measured(cells), hold=self.growing)

    def _lines(self) -> Iterator[str]:
        """Whole lines from where the last call ended; the file's last one may lack its newline."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._position)
                rest = b""
                while chunk := file.read(_CHUNK):
                    if not self._position and not rest:
                        refuse_binary(self.path, chunk)
                        chunk = chunk.removeprefix(b"\xef\xbb\xbf")
                    whole, newline, rest = (rest + chunk).rpartition(b"\n")
                    self._position = file.tell() - len(rest)
                    if newline:
                        yield from whole.decode(errors="replace").split("\n")
                if rest and not self.growing:
                    yield rest.decode(errors="replace")
        except OSError as error:
            raise DataError(
                f"{self.path} cannot be read: {error.strerror}; give a CSV file."
            ) from error

    def _read_header(self, lines: Iterator[str]) -> Iterator[str]:
        """Decide on the layout and the columns; gives back the lines of data."""
        filled = (line for line in lines if line.strip("\r# "))
        first, second = next(filled, None), next(filled, None)
        if first is None or (second is None and self.growing):
            if self.growing:
                self._position = 0
                return iter(())
            raise DataError(f"{self.path} is empty; give a log with a header and rows.")
        layout = layout_of(first, second)
        chosen = choose(layout.columns, self._mapped, self._known, where=self.path.name)
        if not chosen.keys() - {"step"}:
            if not layout.has_header:
                raise DataError(
                    f"{self.path} has no header line; number its {len(layout.columns)} columns: "
                    "--map loss_d=1 loss_g=2."
                )
            raise nothing_recognised(self.path, layout.columns)
        self._note_choice(chosen, self._mapped)
        self._layout = layout
        self._places = tuple((name, layout.columns.index(c)) for name, c in chosen.items())
        if "step" not in chosen:
            self.notes.append(f"{self.path.name} has no column of steps; its rows are numbered.")
        start = [second] if second is not None else []
        return chain(start if layout.has_header else [first, *start], filled)

    def _measured(self, lines: Iterator[list[str]]) -> Iterator[Row]:
        assert self._layout is not None
        num_columns = len(self._layout.columns)
        places = self._places
        for cells in lines:
            if len(cells) != num_columns and "".join(cells[num_columns:]).strip():
                self._num_torn += 1
            elif len(cells) < num_columns:
                self._num_torn += bool("".join(cells).strip())
            else:
                row = {}
                try:
                    for name, place in places:
                        row[name] = float(cells[place])
                except ValueError:
                    row = self._careful(cells)
                yield row

    def _careful(self, cells: list[str]) -> Row:
        row = {}
        for name, place in self._places:
            text = cells[place].strip()
            if text.lower() in _EMPTY:
                continue
            try:
                row[name] = float(text.replace(",", "."))
            except ValueError:
                self._num_bad += 1
        return row

    def _note_losses(self) -> None:
        if self._num_torn:
            self.notes.append(
                f"{self._num_torn:,} rows of {self.path.name} have missing or surplus cells and were "
                "left out."
            )
        if self._num_bad:
            self.notes.append(
                f"{self._num_bad:,} cells of {self.path.name} are no numbers and were left out."
            )
        self.notes += self._steps.notes(self.path.name)
