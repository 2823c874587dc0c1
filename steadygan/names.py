"""One spelling for the name of a part: ``RelativisticAverage`` in code, ``relativistic_average`` in recipes."""

import re

_BEFORE_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TWO_ACRONYMS = {"WGANGP": "wgan_gp"}


def snake_case(name: str) -> str:
    """The recipe and record name of a class.

    >>> snake_case("RelativisticAverage"), snake_case("R1"), snake_case("WGANGP")
    ('relativistic_average', 'r1', 'wgan_gp')
    """
    return _TWO_ACRONYMS.get(name) or _BEFORE_CAPITAL.sub("_", name).lower()
