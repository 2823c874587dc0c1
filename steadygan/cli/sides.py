"""The options that say how samples are read and measured, for the verbs that do."""

from collections.abc import Callable
from typing import Any

import click

from steadygan.errors import ConfigError

_OPTIONS = (
    click.option("--metrics", default="fid,kid,prdc", help="With commas [fid,kid,prdc]."),
    click.option("--features", default="auto", help="See `steadygan list features` [auto]."),
    click.option("--size", type=click.IntRange(min=1), help="Bring images to this side."),
    click.option("--channels", type=click.Choice(["1", "3"]), help="Bring images to grey or RGB."),
    click.option("--range", "range", metavar="LOW,HIGH", help="Of float images."),
    click.option("--layout", type=click.Choice(["nd", "nhw", "nhwc", "nchw"]), help="Of arrays."),
    click.option("--num", type=click.IntRange(min=1), default=10_000, help="At most [10000]."),
    click.option("--seed", type=click.IntRange(min=0), default=0, help="Of draws [0]."),
    click.option("--skip-bad", is_flag=True, help="Leave unreadable images out."),
)


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them, in this order."""

    def with_numbers(channels: str | None, **options: Any) -> Any:
        return command(channels=None if channels is None else int(channels), **options)

    with_numbers.__doc__ = command.__doc__
    with_numbers.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(_OPTIONS):
        option(with_numbers)
    return with_numbers


def stated_range(text: str | None) -> tuple[float, float] | None:
    """(low, high) from "0,255".

    Raises:
        ConfigError: for anything else.
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--range must be LOW,HIGH like 0,255, got {text!r}.") from None
    return low, high
