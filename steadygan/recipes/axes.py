"""The axes of an atlas: which recipe key runs over which values."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steadygan.errors import ConfigError
from steadygan.recipes.sources import parse_value

_DIGITS = 6


@dataclass(frozen=True)
class Axis:
    """A recipe key and its values in order.

    Args:
        key: a dotted recipe key, ``optimizer.g.lr``.
        values: numbers or names.
        log: whether neighbours have a constant ratio.
    """

    key: str
    values: tuple[Any, ...]
    log: bool = False

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """An axis as the command line has it: ``KEY=LOW:HIGH:NUM``, ``KEY=LOW:HIGH:log:NUM`` or ``KEY=A,B,C``.

        Raises:
            ConfigError: naming what is wrong.

        >>> Axis.parse("optimizer.g.lr=1e-4:1e-2:log:3")
        Axis(key='optimizer.g.lr', values=(0.0001, 0.001, 0.01), log=True)
        >>> Axis.parse("penalties.r1.weight=0:10:3").values
        (0.0, 5.0, 10.0)
        """
        key, equals, spread = text.partition("=")
        if not equals or not key or not spread:
            raise _wrong(text)
        parts = spread.split(":")
        if len(parts) == 1:
            return cls(key, tuple(parse_value(part) for part in spread.split(",")))
        log = len(parts) == 4 and parts[2] == "log"
        if not (len(parts) == 3 or log):
            raise _wrong(text)
        try:
            low, high, num = float(parts[0]), float(parts[1]), int(parts[-1])
        except ValueError:
            raise _wrong(text) from None
        if num < 1 or (log and (low <= 0 or high <= 0)):
            raise _wrong(text)
        values = np.geomspace(low, high, num) if log else np.linspace(low, high, num)
        return cls(key, tuple(float(f"{value:.{_DIGITS}g}") for value in values), log)


def _wrong(text: str) -> ConfigError:
    return ConfigError(
        "an axis must look like optimizer.g.lr=1e-4:1e-1:log:24, penalties.r1.weight=0:10:12 or "
        f"objective.name=hinge,wasserstein, got {text!r}."
    )
