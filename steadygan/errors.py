"""Every error this package raises on purpose.

    SteadyganError
    ├── ConfigError (ValueError)      a setting is wrong: unknown name, type, range, combination
    ├── DataError (ValueError)        the data cannot be used: missing, empty, unreadable, out of range
    ├── ContractError (TypeError)     a network breaks the contract: logits not (b,), samples of another shape
    ├── ActionError (ValueError)      a treatment beyond its hard limits, or one that the running game gives no hold for
    ├── NonFiniteError                a loss or gradient stopped being a number, before the optimizer moved
    ├── CheckpointError               no usable checkpoint, or it could not be written
    └── RankError                     processes that should hold the same weights do not

Messages name the thing, the rule, what came and what to do, on one line. ``exit_code`` is what the command
line returns: 2 for input the user can mend, 1 for a training that failed.
"""

import difflib
from collections.abc import Iterable, Mapping


class SteadyganError(Exception):
    """Root of the tree; catching it catches every error raised on purpose."""

    exit_code = 2


class ConfigError(SteadyganError, ValueError):
    """A setting is wrong."""


class DataError(SteadyganError, ValueError):
    """The data cannot be used."""


class ContractError(SteadyganError, TypeError):
    """A network does not keep to what the package asks of it."""


class NonFiniteError(SteadyganError, ArithmeticError):
    """A loss or gradient is NaN or infinite; the optimizer has not moved.

    ``terms`` are the loss terms as they were found, by name.
    """

    exit_code = 1

    def __init__(self, message: str, terms: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.terms = dict(terms or {})


class ActionError(SteadyganError, ValueError):
    """A treatment cannot be applied, or would turn a knob beyond its hard limits; nothing was changed."""


class CheckpointError(SteadyganError, OSError):
    """A checkpoint cannot be read or written."""


class RankError(SteadyganError, RuntimeError):
    """The processes of one training disagree."""

    exit_code = 1


def unknown_name(kind: str, name: object, valid: Iterable[str]) -> ConfigError:
    """The error for a name nobody knows: lists the valid ones and offers the nearest.

    >>> unknown_name("objective", "hing", ["hinge", "wasserstein"])
    ConfigError("unknown objective 'hing'; did you mean 'hinge'? Valid: hinge, wasserstein")
    """
    names = sorted(valid)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return ConfigError(f"unknown {kind} {name!r}{hint} Valid: {', '.join(names)}")
