"""Colours of curves, told apart on white and on black, by most colour-blind eyes too."""

from steadygan.report.figures.panel import QUIET

_COLOURS = (
    "#2f6fde",
    "#d2691e",
    "#2e9e5b",
    "#8e5bd0",
    "#c2417a",
    "#1a98a6",
    "#9a8416",
    "#7d6a60",
)


def colour_of(index: int) -> str:
    """The colour of that index, round and round; ``QUIET`` is grey.

    >>> colour_of(0) == colour_of(8), colour_of(QUIET)
    (True, '#8a9199')
    """
    return "#8a9199" if index == QUIET else _COLOURS[index % len(_COLOURS)]
