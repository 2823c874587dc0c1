"""The contract of a log: rows of signals, whoever wrote them, and more of them when asked again."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from steadygan.errors import DataError

Row = dict[str, float]

_SHOWN = 12


class Log(ABC):
    """A file or folder that holds a run's signals, finished or still growing.

    Attributes:
        path: what is read.
        growing: whether the last, incomplete line is left for later.
        notes: what was guessed or left out, one sentence each, for the person who asks; it may grow
            while rows are read.
        events: what happened besides, as far as it was read: names and details.
    """

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        self.path = path
        self.growing = growing
        self.notes: list[str] = []
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The rows that are new since the last call, in order; each with a "step" that rises.

        Raises:
            DataError: for contents that are no log of a GAN.
        """

    @property
    def signals(self) -> frozenset[str] | None:
        """Which signals may come; None where only the rows can tell."""
        return None

    @property
    def ended(self) -> bool:
        """Whether the log itself says that nothing more will come."""
        return False

    def _note_choice(self, chosen: Mapping[str, str], mapped: Mapping[str, str]) -> None:
        guessed = [f"{s} = {c!r}" for s, c in chosen.items() if s not in mapped and s != c]
        if guessed:
            self.notes.append(
                f"taking {', '.join(guessed)} of {self.path.name}; if wrong, say so: "
                "--map SIGNAL=COLUMN."
            )


def nothing_recognised(path: Path, columns: Sequence[str]) -> DataError:
    """The error for a log without any signal of a GAN."""
    listed = ", ".join(repr(c) for c in columns[:_SHOWN])
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return DataError(
        f"{path} has no column known as a GAN's; it has {listed}{more}. Say which is which: "
        "--map loss_d=COLUMN loss_g=COLUMN."
    )
