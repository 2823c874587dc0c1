"""Ctrl-C and SIGTERM as a request to stop after the step at hand."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None


class Interrupt:
    """While active, the first Ctrl-C or SIGTERM asks politely; a second one ends the program at once.

    Works only in the main thread; elsewhere it never fires and the default handlers stay.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> "Interrupt":
        """Start listening."""
        try:
            self._previous = {s: signal.signal(s, self._ask) for s in self._SIGNALS}
        except ValueError:  # not the main thread
            self._previous = {}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            if (
                handler is not None
            ):  # None: set by other than Python code, which cannot be given back
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
