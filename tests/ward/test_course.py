"""The outcome and its onset follow from the readings alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from steadygan.ward import Course, Reading

WELL = Reading(0, modes=1.0, good=0.8, reverse_kl=0.02, variety=0.8)
BAD = replace(WELL, modes=0.2)
GREY = replace(WELL, modes=0.7)


def course(pattern: str) -> Course:
    """One reading a letter, every ten steps."""
    by_letter = {"w": WELL, "b": BAD, "g": GREY, "n": replace(BAD, finite=False)}
    readings = tuple(replace(by_letter[c], step=10 * i) for i, c in enumerate(pattern, 1))
    return Course("case", 0, 10 * len(pattern), readings, same_live=True, seconds=1.0)


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("bbwwwwww", "healthy"),
        ("wwwwwwgw", "neither"),
        ("wwwwbbbb", "failing"),
        ("wwwwwbbbgb", "failing"),
        ("wwwwwwbbbggg", "neither"),
        ("wwwwwwwn", "failing"),
    ],
)
def test_outcome_by_the_last_six(pattern: str, outcome: str) -> None:
    assert course(pattern).outcome == outcome


@pytest.mark.parametrize(
    ("pattern", "onset"),
    [
        ("wwwwbbbbbb", 50),
        ("wwgbwwbbbbbb", 70),  # the blip before the last well reading is not the onset
        ("wwgbgbbbbbb", 60),  # the first two bad ones in a row
        ("bbbbbbbb", 1),  # never well
        ("wwwwwwwn", 80),
        ("bbbbbnnn", 60),
        ("wwwwwwww", None),
    ],
)
def test_onset(pattern: str, onset: int | None) -> None:
    assert course(pattern).onset == onset


def test_a_course_survives_its_file(tmp_path: Path) -> None:
    before = course("wwgbn")
    before.save(tmp_path)
    assert Course.load(tmp_path) == before
