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
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def template(names: Sequence[str]) -> str:
    """The %-format of a row with these signals: one C call then writes the whole row.

    Raises:
        ConfigError: for a signal called like one of the record's own fields.

    >>> template(["loss_d"]) % (40, 0.5)
    '{"step": 40, "loss_d": 0.5}\\n'
    """
    for name in names:
        if name in _RESERVED:
            raise ConfigError(
                f"a signal must not be called {name!r}, which is a field of the record; "
                "rename the signal."
            )
    fields = "".join(f", {json.dumps(name)}".replace("%", "%%") + ": %.9g" for name in names)
    return '{"step": %d' + fields + "}\n"


def row_line(step: int, names: Sequence[str], values: Sequence[float]) -> str:
    """A row of signals of which some are not finite.

    >>> row_line(40, ["loss_d", "loss_g"], [math.nan, 1.0])
    '{"step": 40, "loss_d": "NaN", "loss_g": 1}\\n'
    """
    fields = (f", {json.dumps(n)}: {_number(v)}" for n, v in zip(names, values, strict=True))
    return f'{{"step": {step}{"".join(fields)}}}\n'


def event_text(name: str, detail: Mapping[str, Any]) -> str:
    """An event as JSON.

    >>> event_text("extended", {"by": 10})
    '{"event": "extended", "detail": {"by": 10}}'
    """
    event = {"event": name, "detail": _spelled(detail)}
    return json.dumps(event, default=str, allow_nan=False)


def with_events(line: str, events: Sequence[str]) -> str:
    """A row's line with events, each as JSON, at its end.

    >>> with_events(row_line(40, ["a"], [1.0]), [event_text("extended", {"by": 10})])
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


def _number(value: float) -> str:
    if math.isfinite(value):
        return f"{value:.9g}"
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'


def _spelled(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return json.loads(_number(value))
    if isinstance(value, Mapping):
        return {str(k): _spelled(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(v) for v in value]
    return value
