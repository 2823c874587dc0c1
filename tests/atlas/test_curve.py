"""Lines between cells: where they run, that they close, and that places and values are each other's inverse."""

import math

import numpy as np
import pytest

from steadygan.atlas.curve import Passes, border
from steadygan.atlas.outcome_map import Scale
from steadygan.atlas.places import position, value_at


def grid(passes: Passes, rows: int, columns: int) -> np.ndarray:
    cells = [[float(passes(float(j), float(i))) for j in range(columns)] for i in range(rows)]
    return np.array(cells)


def test_a_circle_is_one_closed_line_of_points_on_it() -> None:
    def inside(x: float, y: float) -> bool:
        return math.hypot(x - 4.2, y - 3.1) < 2.6

    (line,) = border(grid(inside, 8, 10), inside)
    assert line[0] == line[-1]
    assert len(line) > 16
    for x, y in line:
        assert math.hypot(x - 4.2, y - 3.1) == pytest.approx(2.6, abs=1 / 128)


def test_two_borders_are_two_open_lines() -> None:
    def between(x: float, y: float) -> bool:
        return 1.3 < x < 3.8

    first, second = sorted(border(grid(between, 4, 6), between))
    for line, place in ((first, 1.3), (second, 3.8)):
        assert [x for x, _ in line] == pytest.approx([place] * 4, abs=1 / 256)
        assert sorted(y for _, y in line) == [0, 1, 2, 3]
        assert line[0] != line[-1]


def test_nothing_beyond_and_everything_beyond_have_no_line() -> None:
    assert border(np.ones((3, 3)), lambda x, y: True) == []
    assert border(np.zeros((3, 3)), lambda x, y: False) == []


def test_corners_that_touch_are_kept_apart() -> None:
    def saddle(x: float, y: float) -> bool:
        return (x < 0.5) == (y < 0.5)

    lines = border(grid(saddle, 2, 2), saddle)
    assert sorted(len(line) for line in lines) == [2, 2]


@pytest.mark.parametrize(
    "scale", [Scale("a", (1e-4, 1e-3, 1e-1), log=True), Scale("b", (0.0, 1.0, 5.0))]
)
def test_values_at_places(scale: Scale) -> None:
    for place in (0.0, 0.25, 1.0, 1.9, 2.0):
        assert position(scale, value_at(scale, place)) == pytest.approx(place, abs=1e-8)
    assert value_at(Scale("c", (3.0,)), 0.0) == 3.0
