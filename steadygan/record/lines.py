"""One line of the record: a step's signals and events, to text and back.

JSON has no NaN and no infinity: they are written as the strings "NaN", "Infinity" and "-Infinity",
and read back as floats. Numbers keep 9 significant digits, with which every float32 comes back
exactly; a float64 is rounded.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from steadygan.errors import ConfigError, DataError

EVENTS = "events"
"""The field of a row that lists what happened before its step."""

_STEP_FIRST = re.compile(rb'\{"step": ?(\d+)[,}]')
_RESERVED = frozenset({"step", EVENTS})
# JSON knows neither the words nor, as it takes -0 for an integer, a negative 0 without a fraction.
_SPELLED = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"', "-0": "-0.0"}
_WORDS = frozenset(_SPELLED)
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Layout:
    """Writes rows of the same signals: numbers to text, text to a line, text back to numbers.

    Args:
        names: of the signals, in the order of their values.

    Raises:
        ConfigError: for a signal called like one of the record's own fields.

    >>> layout = Layout(["loss_d", "loss_g"])
    >>> texts = layout.texts([math.nan, 1 / 3])
    >>> layout.line(40, texts)
    '{"step": 40, "loss_d": "NaN", "loss_g": 0.333333333}\\n'
    >>> layout.row(40, texts)
    {'step': 40, 'loss_d': nan, 'loss_g': 0.333333333}
    """

    def __init__(self, names: Sequence[str]) -> None:
        for name in names:
            if name in _RESERVED:
                raise ConfigError(
                    f"a signal must not be called {name!r}, which is a field of the record; "
                    "rename the signal."
                )
        # With %-formats one C call does the whole row.
        fields = "".join(f", {json.dumps(name)}".replace("%", "%%") + ": %s" for name in names)
        self._names = tuple(names)
        self._numbers = " ".join(["%.9g"] * len(names))
        self._line = '{"step": %d' + fields + "}\n"

    def texts(self, values: Sequence[float]) -> list[str]:
        """The numbers with the digits that are kept, as Python spells them."""
        return (self._numbers % tuple(values)).split()

    def line(self, step: int, texts: Sequence[str]) -> str:
        """The line of a row."""
        if not _WORDS.isdisjoint(texts):
            texts = [_SPELLED.get(text, text) for text in texts]
        return self._line % (step, *texts)

    def row(self, step: int, texts: Sequence[str]) -> dict[str, float | int]:
        """What ``restored_row`` makes of the line, to the last bit, without parsing it."""
        row: dict[str, float | int] = {"step": step}
        row.update(zip(self._names, map(float, texts), strict=True))
        return row


def event_text(name: str, detail: Mapping[str, Any]) -> str:
    """An event as JSON.

    >>> event_text("extended", {"by": 10})
    '{"event": "extended", "detail": {"by": 10}}'
    """
    event = {"event": name, "detail": _spelled(detail)}
    return json.dumps(event, default=str, allow_nan=False)


def with_events(line: str, events: Sequence[str]) -> str:
    """A row's line with events, each as JSON, at its end.

    >>> with_events('{"step": 40, "a": 1}\\n', [event_text("extended", {"by": 10})])
    '{"step": 40, "a": 1, "events": [{"event": "extended", "detail": {"by": 10}}]}\\n'
    """
    return f'{line[:-2]}, "{EVENTS}": [{", ".join(events)}]}}\n'


def step_of(line: bytes) -> int:
    """The step of a line, without parsing the rest where the step comes first.

    Raises:
        DataError: for a line that is no row.
    """
    found = _STEP_FIRST.match(line)
    if found:
        return int(found[1])
    return int(parse(line)["step"])


def parse(line: bytes) -> dict[str, Any]:
    """The JSON object of a line.

    Raises:
        DataError: for anything else than an object with an integer ``step``.
    """
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or type(row.get("step")) is not int:
        raise DataError("not a row of a record")
    return row


def restored_row(line: bytes) -> dict[str, float | int]:
    """The step and the signals of a line, as numbers; without its events.

    >>> restored_row(b'{"step": 40, "loss_d": "NaN", "loss_g": 1}')
    {'step': 40, 'loss_d': nan, 'loss_g': 1.0}
    """
    # float() understands the spelling of non-finite numbers too.
    return {
        name: value if name == "step" else float(value)
        for name, value in parse(line).items()
        if name != EVENTS
    }


def restore(value: object) -> object:
    """Undo the spelling of non-finite numbers, also inside lists and objects."""
    if isinstance(value, str):
        return _NON_FINITE.get(value, value)
    if isinstance(value, dict):
        return {k: restore(v) for k, v in value.items()}
    if isinstance(value, list):
        return [restore(v) for v in value]
    return value


def _spelled(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return json.loads(_SPELLED[str(value)])
    if isinstance(value, Mapping):
        return {str(k): _spelled(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(v) for v in value]
    return value
