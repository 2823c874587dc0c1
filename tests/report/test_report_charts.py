"""The charts: nothing that matters is lost between the arrays and the paths."""

import html
import json
import re

import numpy as np
import pytest

from steadygan.report import charts
from steadygan.report.charts import Marker, Series, line_chart, thin
from steadygan.report.scales import Scale, linear_ticks, log_ticks, number, tick_labels, y_range


def _series(
    values: list[float] | np.ndarray, steps: list[int] | np.ndarray | None = None
) -> Series:
    values = np.asarray(values, dtype=float)
    return Series("x", np.arange(len(values)) if steps is None else np.asarray(steps), values)


def _line(svg: str, index: int = 0) -> str:
    return re.findall(r'class="line" d="([^"]*)"', svg)[index]


@pytest.mark.parametrize("num", [601, 1199, 5000, 100_001])
def test_envelope_keeps_the_extremes_of_every_bin(num: int) -> None:
    values = np.random.default_rng(num).normal(size=num)
    spike = num // 3
    values[spike] = 50.0
    thinned = thin(_series(values), 0, num - 1)
    assert len(thinned.steps) <= charts.MOST_POINTS
    assert np.max(thinned.high) == 50.0
    assert np.min(thinned.low) == values.min()
    at = thinned.steps[np.argmax(thinned.high)]
    assert abs(at - spike) <= num / len(thinned.steps)
    for k in (0, len(thinned.steps) // 2, len(thinned.steps) - 1):  # a slow twin of three bins
        bins = (np.arange(num) * len(thinned.steps)) // (num - 1)
        bins = np.minimum(bins, len(thinned.steps) - 1)
        inside = values[bins == k]
        np.testing.assert_allclose(
            [thinned.low[k], thinned.mean[k], thinned.high[k]],
            [inside.min(), inside.mean(), inside.max()],
        )


@pytest.mark.parametrize("num", [601, 700, 1199, 1200, 1777])
def test_a_regular_series_has_no_gaps_however_it_is_binned(num: int) -> None:
    assert _line(line_chart("t", [_series(np.sin(np.arange(num)))])).count("M") == 1


def test_a_spike_is_in_the_drawing() -> None:
    values = np.zeros(10_000)
    values[4321] = 1.0
    svg = line_chart("t", [_series(values)])
    band = re.findall(r'class="band" d="([^"]*)"', svg)[0]
    heights = [float(v) for v in re.findall(r" ([\d.]+)", band)]
    bottom, top = Scale(*y_range(0.0, 1.0, is_log=False), 200, 10)(0), min(heights)
    assert top < charts.TOP + 12
    assert bottom > top


def test_missing_values_break_the_line() -> None:
    values = np.sin(np.arange(50))
    values[10] = np.nan
    values[20:25] = np.inf
    assert _line(line_chart("t", [_series(values)])).count("M") == 3
    probed = _series(np.ones(10), np.array([0, 100, 200, 300, 400, 600, 700, 800, 900, 1000]))
    assert _line(line_chart("t", [probed])).count("M") == 2
    long = np.ones(10_000)
    long[5000:5400] = np.nan
    assert _line(line_chart("t", [_series(long)])).count("M") == 2


def test_a_lone_point_is_drawn_as_a_dot() -> None:
    assert _line(line_chart("t", [_series([2.0], [7])])).endswith("h0")


def test_axis_is_logarithmic_only_when_it_must() -> None:
    wide = line_chart("t", [_series(10.0 ** np.arange(5))])
    assert "10k" in wide
    assert "logarithmic" in wide
    assert "logarithmic" not in line_chart("t", [_series([1.0, 500.0])])
    assert "logarithmic" not in line_chart("t", [_series([0.0, 1e6])])
    assert "logarithmic" not in line_chart("t", [_series([-1.0, 1e6])])
    ys = [float(v) for v in re.findall(r" ([\d.]+)", _line(wide))]
    np.testing.assert_allclose(np.diff(ys), np.diff(ys)[0], atol=0.2)


@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [5.0], [-3.0, -3.0], [1e9, 1e9 + 1], [1e-320], [1e308, -1e308, 2.0]]
)
def test_awkward_ranges_still_draw(values: list[float]) -> None:
    svg = line_chart("t", [_series(values)])
    assert not re.search(r"\b(nan|inf)\b", svg)


def test_nothing_to_draw_is_said() -> None:
    assert "no finite value" in line_chart("t", [_series([np.nan, np.inf])])
    both = line_chart("t", [_series([np.nan]), _series([1.0, 2.0]), _series([])])
    assert "<svg" in both


def test_lines_share_one_axis_and_markers_carry_their_names() -> None:
    series = [_series([0.0, 1.0]), Series("y", np.array([1, 2]), np.array([1.0, 2.0]))]
    svg = line_chart("t", series, markers=[Marker(1, "a < b", "critical"), Marker(99, "beyond")])
    assert "a &lt; b, step 1" in svg
    assert "beyond" not in svg
    end_of_first = float(_line(svg, 0).split()[-1])
    start_of_second = float(_line(svg, 1).split("L")[0].split()[-1])
    assert end_of_first == start_of_second


def test_readout_is_what_was_measured() -> None:
    svg = line_chart("t", [_series([0.5, np.nan, 0.25])])
    data = json.loads(html.unescape(re.findall(r"data-points='([^']*)'", svg)[0]))
    assert data["series"] == [
        {"label": "x", "steps": [0, 1, 2], "low": [0.5, None, 0.25], "high": None}
    ]


@pytest.mark.parametrize("low", [-7.3, 0.0, 1e-9, 123.0, 1e5])
@pytest.mark.parametrize("span", [1e-3, 0.7, 3.0, 999.0, 1e6])
def test_linear_ticks_are_few_round_and_inside(low: float, span: float) -> None:
    ticks = linear_ticks(low, low + span, 5)
    assert 2 <= len(ticks) <= 6
    slack = 1e-6 * span
    assert low - slack <= ticks[0] <= ticks[-1] <= low + span + slack
    assert len(set(tick_labels(ticks))) == len(ticks)


def test_log_ticks_are_powers_of_ten() -> None:
    assert log_ticks(2e-4, 5.0, 5) == [1e-3, 1e-2, 1e-1, 1.0]
    assert len(log_ticks(1e-30, 1e30, 5)) <= 5


def test_numbers_read_back() -> None:
    for value in (0.001, 0.04213, 1.0, 9999.0, 12.5):
        assert float(number(value)) == value
    assert number(20_000.0) == "20k"
    assert number(float("-inf")) == "−∞"
