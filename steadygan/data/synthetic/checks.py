"""Range checks that word their error alike for every synthetic set."""

import math

from steadygan.errors import ConfigError


def at_least(part: object, setting: str, bound: float | int, *, strictly: bool = False) -> None:
    """Refuse a setting below its bound, or not finite.

    Raises:
        ConfigError: naming the set, the setting, the rule and what came.
    """
    value = getattr(part, setting)
    if math.isfinite(value) and (value > bound if strictly else value >= bound):
        return
    limit = f"{'>' if strictly else '>='} {bound:g} and " if math.isfinite(bound) else ""
    default = getattr(type(part), setting)
    raise ConfigError(
        f"{type(part).__name__}.{setting} must be {limit}finite, got {value}; the default is "
        f"{default}."
    )
