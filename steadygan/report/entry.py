"""What the report says of one signal."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One signal: its short name, its unit ("" where it has none), what it is, what is healthy."""

    label: str
    unit: str
    meaning: str
    healthy: str
