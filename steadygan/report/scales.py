"""Axes: which ticks, where, and how numbers are written."""

import math
from dataclasses import dataclass

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Scale:
    """Maps values in [low, high] to pixels in [start, stop], linearly or by their logarithm."""

    low: float
    high: float
    start: float
    stop: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        if self.is_log:
            low, high, value = math.log10(self.low), math.log10(self.high), math.log10(value)
        else:
            low, high = self.low, self.high
        share = (value - low) / (high - low)
        return self.start + share * (self.stop - self.start)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` + 1 multiples of 1, 2 or 5 times a power of ten inside [low, high].

    >>> linear_ticks(0.0, 1.0, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    step = _nice((high - low) / most)
    digits = max(0, 1 - math.floor(math.log10(step)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, digits) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten inside [low, high], thinned evenly to at most ``most``.

    >>> log_ticks(0.5, 2e6, 4)
    [1.0, 100.0, 10000.0, 1000000.0]
    """
    first = math.ceil(math.log10(low) - 1e-9)
    last = math.floor(math.log10(high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / most))
    return [10.0**k for k in range(first, last + 1, stride)]


def y_range(low: float, high: float, *, is_log: bool) -> tuple[float, float]:
    """The data's range with a little air, never empty.

    >>> y_range(2.0, 2.0, is_log=False)
    (1.0, 3.0)
    """
    if is_log:
        air = (high / low) ** 0.05
        return low / air, high * air
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(high) / 2 or 1.0
        return low - half, high + half
    air = 0.05 * (high - low)
    return low - air, high + air


def wants_log(low: float, high: float) -> bool:
    """Whether positive values span more than three decades."""
    return low > 0 and high / low > 1000


def tick_labels(ticks: list[float]) -> list[str]:
    """The ticks as short text, all with the digits that tell them apart.

    >>> tick_labels([0.0, 0.5, 1.0]), tick_labels([0.0, 20000.0]), tick_labels([1e-4, 2e-4])
    (['0', '0.5', '1'], ['0', '20k'], ['1×10⁻⁴', '2×10⁻⁴'])
    """
    for digits in range(4, 16):
        labels = [number(tick, digits) for tick in ticks]
        if len(set(labels)) == len(ticks):
            break
    return labels


def number(value: float, digits: int = 4) -> str:
    """A number for people: 0.0421, 1,240, 20k, 3.2×10⁻⁵.

    >>> [number(v) for v in (0.04213, 1240.0, 3.21e-5, -0.5, 1.5e6, float("nan"))]
    ['0.04213', '1240', '3.21×10⁻⁵', '−0.5', '1.5M', 'NaN']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size == 0:
        return "0"
    if 1e-3 <= size < 1e4:
        return sign + _trimmed(f"{size:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}")
    for unit, scale in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        if scale * 10 ** (unit == "k") <= size < scale * 1e3:
            return f"{sign}{size / scale:.{digits}g}{unit}"
    mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
    return f"{sign}{_trimmed(mantissa)}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> [duration(s) for s in (0.04, 12.34, 200.0, 7500.0)]
    ['0.04 s', '12.3 s', '3 min 20 s', '2 h 5 min']
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _nice(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
