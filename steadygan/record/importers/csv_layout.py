"""How a CSV file is laid out: its delimiter and its columns, from its first lines."""

import csv
from dataclasses import dataclass
from pathlib import Path

from steadygan.errors import DataError

_DELIMITERS = (",", ";", "\t", "|", " ")
_BINARY = frozenset(range(32)) - {9, 10, 12, 13}


@dataclass(frozen=True)
class Layout:
    """Delimiter and columns of a CSV file.

    Args:
        delimiter: one character.
        columns: names, or "1", "2", ... where the file has no header.
        has_header: whether the first line is one.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool

    def cells(self, line: str) -> list[str]:
        """One line's cells."""
        return next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [])


def layout_of(first: str, second: str | None) -> Layout:
    """The layout that a file's first two lines speak for.

    >>> layout_of("# step; D loss; G loss", "1; 0,7; 0,7")
    Layout(delimiter=';', columns=('step', 'D loss', 'G loss'), has_header=True)
    >>> layout_of("1 0.7", None)
    Layout(delimiter=' ', columns=('1', '2'), has_header=False)
    """
    first = first.lstrip("# ").strip()
    delimiter = max(_DELIMITERS, key=lambda mark: _fitness(mark, first, second))
    layout = Layout(delimiter, (), has_header=True)
    names = [name.strip() for name in layout.cells(first)]
    if all(is_number(name) for name in names if name):
        return Layout(delimiter, tuple(str(n) for n in range(1, len(names) + 1)), False)
    return Layout(delimiter, tuple(names), True)


def is_number(text: str) -> bool:
    """Whether a cell is a number, with a point or a comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def refuse_binary(path: Path, start: bytes) -> None:
    """Raise for a file that is no text.

    Raises:
        DataError: if control characters are among its first bytes.
    """
    if not _BINARY.isdisjoint(start[:4096]):
        raise DataError(
            f"{path} is no text (and its name does not say TensorBoard, events.out.tfevents.*); "
            "give a run directory, a record.jsonl, event files or a CSV in UTF-8."
        )


def _fitness(mark: str, first: str, second: str | None) -> tuple[bool, bool, int]:
    """Splitting both lines alike counts most, then any split; ties go to the earlier mark."""
    pieces = len(Layout(mark, (), True).cells(first))
    alike = second is not None and len(Layout(mark, (), True).cells(second.strip())) == pieces
    return pieces > 1 and alike, pieces > 1 and mark != " ", pieces
