"""What every metric returns: a number, how far to trust it, and from how many samples."""

import dataclasses
import math
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One number with its error bar; converts to float. Metrics with more to say add fields.

    Args:
        value: the number to compare.
        n_fake: how many fakes it is from.
        n_real: how many reals; 0 for a metric of fakes alone.
        interval: 95 % confidence interval of ``value``, by the method its metric states; None where
            there are too few samples for one.
        warnings: what a reader must know before comparing, one sentence each.
    """

    value: float
    n_fake: int
    n_real: int = 0
    interval: Interval | None = None
    warnings: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """The smaller of the two counts; the only one, for a metric of fakes alone."""
        return min(self.n_fake, self.n_real) if self.n_real else self.n_fake

    def __float__(self) -> float:
        """The value."""
        return self.value

    def to_json(self) -> dict[str, object]:
        """Every number of it: fields that are whole arrays are left out, infinity becomes null."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: _plain(value) for name, value in fields.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_is_plain(one) for one in value)
    return value is None or isinstance(value, str | bool | int | float)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
