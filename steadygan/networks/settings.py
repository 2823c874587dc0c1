"""What a network's settings must satisfy: each rule once, with a message a person can act on."""

import math
from collections.abc import Collection, Iterable

from steadygan.errors import ConfigError, unknown_name

SMALLEST, LARGEST = 8, 128


def require_positive(network: str, **settings: int) -> None:
    """Every named setting is at least 1.

    Raises:
        ConfigError: naming the first that is not.
    """
    for name, value in settings.items():
        if value < 1:
            raise ConfigError(f"{network}.{name} must be >= 1, got {value}; every layer needs it.")


def require_classes(network: str, classes: int) -> None:
    """The number of classes is 0 (unconditional) or more.

    Raises:
        ConfigError: if it is negative.
    """
    if classes < 0:
        raise ConfigError(
            f"{network}.classes must be >= 0, got {classes}; use 0 for networks without labels."
        )


def require_dropout(network: str, probability: float) -> None:
    """Dropout's probability is in [0, 1).

    Raises:
        ConfigError: if it is not, or is NaN.
    """
    if not 0 <= probability < 1:
        raise ConfigError(
            f"{network}.d_dropout must be in [0, 1), got {probability}; 0 switches it off."
        )


def require_scale(network: str, scale: float) -> None:
    """The factor on the first weights is positive and finite.

    Raises:
        ConfigError: if it is not, or is NaN.
    """
    if not 0 < scale < math.inf:
        raise ConfigError(
            f"{network}.initial_scale must be > 0 and finite, got {scale}; 1 keeps the signal's size."
        )


def require_image_size(network: str, size: int) -> None:
    """An image's side is a power of two that the network can halve down to 4.

    Raises:
        ConfigError: naming the nearest sizes that work.
    """
    valid = [2**n for n in range(SMALLEST.bit_length() - 1, LARGEST.bit_length())]
    if size in valid:
        return
    near = sorted(sorted(valid, key=lambda side: abs(math.log(side / max(size, 1))))[:2])
    raise ConfigError(
        f"{network}.size must be a power of two from {SMALLEST} to {LARGEST}, got {size}; "
        f"resize the data with data.size={near[0]} or {near[1]}."
    )


def require_one_of(network: str, setting: str, value: str, valid: Collection[str]) -> None:
    """A name is one of the valid ones.

    Raises:
        ConfigError: listing the valid names and the nearest match.
    """
    if value not in valid:
        raise unknown_name(f"{network}.{setting}", value, valid)


def require_resolutions(network: str, wanted: Iterable[int], valid: Collection[int]) -> None:
    """Attention is asked for only at resolutions that both networks pass through.

    Raises:
        ConfigError: listing the resolutions that exist.
    """
    for resolution in wanted:
        if resolution not in valid:
            exist = ", ".join(map(str, sorted(valid))) or "none at this size"
            raise ConfigError(
                f"{network}.attention must list resolutions inside both networks ({exist}), "
                f"got {resolution}; drop it or choose one of these."
            )
