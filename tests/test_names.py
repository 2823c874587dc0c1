"""Names of parts: one spelling, unique, and readable back in recipes."""

import re

import pytest

from steadygan import objectives, penalties
from steadygan.names import snake_case


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hinge", "hinge"),
        ("NonSaturating", "non_saturating"),
        ("RelativisticAverage", "relativistic_average"),
        ("R1", "r1"),
        ("LP", "lp"),
        ("DRAGAN", "dragan"),
        ("WGANGP", "wgan_gp"),
        ("ADAController", "ada_controller"),
        ("Rk4Step", "rk4_step"),
        ("hinge", "hinge"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


@pytest.mark.parametrize("folder", [objectives, penalties])
def test_every_part_has_a_name_of_its_own(folder: object) -> None:
    exported: list[str] = folder.__all__
    names = [snake_case(name) for name in exported]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in names)
    assert [snake_case(name) for name in names] == names  # a recipe's name is left as it is
