"""The space of a sweep: which recipe keys vary, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from steadygan.errors import ConfigError
from steadygan.recipes.sources import parse_value


@dataclass(frozen=True)
class Range:
    """Numbers from low to high; ``log`` spreads them by ratio, ``whole`` keeps to integers."""

    key: str
    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values, which may be names, numbers or whole sections."""

    key: str
    values: tuple[Any, ...]


Space = tuple[Range | Choice, ...]


def load_space(path: str | Path) -> Space:
    """The space of a YAML file that maps recipe keys to ``{low, high, log}`` or to a list of values.

    Raises:
        ConfigError: for a file that is none, or a key whose entry is neither.
    """
    try:
        tree = parse_value(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ConfigError(f"--space {path} cannot be read: {reason}.") from error
    if not isinstance(tree, Mapping) or not tree:
        raise ConfigError(f"--space {path} must map recipe keys to ranges or lists, got {tree!r}.")
    return tuple(_dimension(str(key), entry) for key, entry in tree.items())


def _dimension(key: str, entry: Any) -> Range | Choice:
    if isinstance(entry, list) and entry:
        return Choice(key, tuple(entry))
    known = {"low", "high", "log"}
    if not isinstance(entry, Mapping) or not {"low", "high"} <= set(entry) <= known:
        raise ConfigError(
            f"--space: {key} must be {{low: 1e-4, high: 1e-2, log: true}} or a list of values, got {entry!r}."
        )
    low, high, log = entry["low"], entry["high"], entry.get("log", False)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high))
    if not numbers or not isinstance(log, bool) or not low < high or (log and low <= 0):
        raise ConfigError(
            f"--space: {key} needs numbers low < high (both > 0 where log), got {entry!r}."
        )
    whole = isinstance(low, int) and isinstance(high, int)
    return Range(key, float(low), float(high), log, whole)
