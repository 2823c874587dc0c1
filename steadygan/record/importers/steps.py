"""Steps that rise, whatever the log counts: its own steps where they rise, the number of the row where not."""

from collections.abc import Iterator

from steadygan.record.importers.log import Row


class Steps:
    """Gives rows their step and joins neighbours of one step.

    Loggers that write each signal on its own (Lightning's, for one) repeat a step with other
    columns filled: such rows are one. A step that does not rise otherwise (an epoch that holds many
    rows, a count that starts again) orders nothing, so that from there on rows are numbered.
    """

    def __init__(self) -> None:
        self._last = -1
        self._is_numbered = False
        self._fell_back_at: int | None = None
        self._held: Row | None = None

    def placed(self, rows: Iterator[Row], *, hold: bool) -> Iterator[Row]:
        """The rows with a rising step.

        Args:
            rows: with the log's own "step", or without.
            hold: keep the last row for the next call: what comes may belong to it.

        >>> rows = [{"step": 5, "loss_d": 1.0}, {"step": 5, "loss_g": 2.0}, {"step": 6, "loss_d": 1.0}]
        >>> list(Steps().placed(iter(rows), hold=False))
        [{'step': 5, 'loss_d': 1.0, 'loss_g': 2.0}, {'step': 6, 'loss_d': 1.0}]
        """
        for row in rows:
            held = self._held
            own = row.get("step")
            if own is not None and own > self._last and own % 1 == 0 and not self._is_numbered:
                # A step that rises as it should: nothing to decide.
                row["step"] = self._last = int(own)
                self._held = row
                if held is not None:
                    yield held
            elif held is None or own is None or own != held["step"] or self._is_numbered:
                if held is not None:
                    yield held
                self._held = self._numbered(row, own)
            elif held.keys() & row.keys() == {"step"}:
                held.update(row)
            else:
                yield held
                self._held = self._numbered(row, own)
        if self._held is not None and not hold:
            held, self._held = self._held, None
            yield held

    def notes(self, name: str) -> list[str]:
        """What the person who asks should know."""
        if self._fell_back_at is None:
            return []
        return [
            f"the steps of {name} do not always rise; from step {self._fell_back_at:,} on its rows are "
            "numbered."
        ]

    def _numbered(self, row: Row, own: float | None) -> Row:
        if own is None or self._is_numbered or not (own > self._last and own == own // 1):
            if own is not None and not self._is_numbered:
                self._is_numbered, self._fell_back_at = True, max(self._last, 0)
            own = max(self._last, 0) + 1
        self._last = int(own)
        row["step"] = self._last
        return row
